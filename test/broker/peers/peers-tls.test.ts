import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { headOfReply, PeerHttp } from '../../../lib/broker/peers/peer-http.ts';

const folder = mkdtempSync(join(tmpdir(), 'peers-tls-'));

/** A certificate that signed itself, for a name that no peer is found by. */
function certificate(name: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, `${name}.cert`), join(folder, `${name}.key`)];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`];
  execFileSync('openssl', [...args, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { cert, key };
}

let own: { cert: string; key: string };
let foreign: { cert: string; key: string };
const seen: unknown[] = [];

beforeAll(() => {
  own = certificate('own');
  foreign = certificate('foreign');
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Asks a server with this certificate, as a broker that has `own`. */
async function statusOf({ cert, key }: { cert: string; key: string }): Promise<number | undefined> {
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
    seen.push(request.headers.authorization);
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const http = new PeerHttp(own);
  try {
    const request = await http.connect(
      { ip: '127.0.0.1', port, host: 'brokers.internal' },
      { method: 'GET', path: '/', headers: { authorization: 'a key' }, signal: AbortSignal.timeout(10_000) },
    );
    return (await headOfReply(request, undefined, 10_000)).statusCode;
  } finally {
    http.close();
    server.close();
    server.closeAllConnections();
  }
}

test('a peer is asked by HTTPS that has the certificate of this broker', async () => {
  expect(await statusOf(own)).toBe(200);
  expect(seen).toEqual(['a key']);
});

test('a peer with another certificate is sent nothing', async () => {
  seen.length = 0;
  await expect(statusOf(foreign)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  expect(seen).toEqual([]);
});
