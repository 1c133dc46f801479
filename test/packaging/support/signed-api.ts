import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export const REGION = 'eu-west-1';
/** Those of AWS's documentation. */
export const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  AWS_SESSION_TOKEN: 'the-session-token',
};

export interface ApiReply {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** An HTTP API whose routes have the IAM authoriser: what is signed well goes to the function, all else is 403. */
export async function startSignedApi(
  invoke: (request: { path: string; headers: Record<string, string>; body: string }) => Promise<ApiReply>,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const answer = async (request: IncomingMessage): Promise<ApiReply> => {
    const body = await text(request);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    if (!isSigned(request, headers, body)) return { statusCode: 403, body: '{"message":"Forbidden"}' };
    return await invoke({ path: request.url ?? '', headers, body });
  };
  const server = createServer((request, response) => {
    void answer(request).then(
      ({ statusCode = 200, headers, body }) => response.writeHead(statusCode, { ...headers }).end(body),
      (error: unknown) => response.writeHead(500).end(JSON.stringify({ message: String(error) })),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** By the formula of AWS's "Signature Version 4 signing process", and by nobody's library. */
function isSigned({ method, url }: IncomingMessage, headers: Record<string, string>, body: string): boolean {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
  const [, keyId, scope = '', names = '', signature] = pattern.exec(headers.authorization ?? '') ?? [];
  const signed = names.split(';');
  const time = headers['x-amz-date'] ?? '';
  const today = time.slice(0, 8);
  const isComplete =
    keyId === CREDENTIALS.AWS_ACCESS_KEY_ID &&
    scope === `${today}/${REGION}/execute-api/aws4_request` &&
    headers['x-amz-security-token'] === CREDENTIALS.AWS_SESSION_TOKEN &&
    ['host', 'x-amz-date', 'x-amz-security-token'].every((name) => signed.includes(name)) &&
    today === new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const canonical = [
    method,
    url,
    '',
    ...signed.map((name) => `${name}:${headers[name]?.trim()}`),
    '',
    names,
    sha256(body),
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  let key: Buffer = Buffer.from(`AWS4${CREDENTIALS.AWS_SECRET_ACCESS_KEY}`);
  for (const part of scope.split('/')) key = hmac(key, part);
  return isComplete && hmac(key, toSign).toString('hex') === signature;
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

function hmac(key: Buffer, content: string): Buffer {
  return createHmac('sha256', key).update(content).digest();
}
