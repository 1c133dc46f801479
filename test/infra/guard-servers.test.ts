import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFreePort } from '../../infra/local/process/free-port.ts';
import { pollUntil } from '../../infra/local/process/poll-until.ts';
import { startWatched, type WatchedProcess } from '../../infra/local/process/watched-process.ts';
import { http, raw } from '../support/http.ts';
import { PROJECT } from '../support/project.ts';

/** In place of the broker: what reaches it, a function has sent. */
const asked: string[] = [];
const broker = createServer((request, response) => {
  asked.push(request.url ?? '');
  response.setHeader('content-type', 'application/json').end('{}');
});
const ports = { http: 0, lambda: 0 };
let offline: WatchedProcess;

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    broker.listen(0, '127.0.0.1', resolve);
  });
  const address = broker.address();
  const brokerPort = typeof address === 'object' ? address?.port : 0;
  ports.http = await findFreePort(3_400);
  ports.lambda = await findFreePort(ports.http + 1);
  const args = ['offline', 'start', '--stage', 'local', '--noAuth', '--noSponsor', '--host', '127.0.0.1'];
  args.push('--param', `brokerUrl=http://127.0.0.1:${brokerPort}`);
  args.push('--httpPort', String(ports.http), '--lambdaPort', String(ports.lambda));
  offline = await startWatched(process.execPath, ['node_modules/serverless/bin/serverless.js', ...args], {
    cwd: PROJECT,
    env: { ...process.env, BROKER_KEY: 'key' },
  });
  const failed = offline.ended.then((how): never => {
    throw new Error(`serverless-offline ${how}:\n${offline.lastLines}`);
  });
  const isUp = () =>
    http(`http://127.0.0.1:${ports.http}/nowhere`).then(
      ({ status }) => status === 404,
      () => false,
    );
  await pollUntil(isUp, { intervalMs: 100, timeoutMs: 100_000, hopeless: failed });
}, 120_000);

afterAll(async () => {
  await offline.stop(5_000);
  broker.closeAllConnections();
  broker.close();
});

const QUERY = JSON.stringify({ database: 'default', sql: 'SELECT 1' });
const INVOCATION = '/2015-03-31/functions/serverless-conn-pool-local-query/invocations';
const PREFLIGHT = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'content-type',
};

describe.each(['http', 'lambda'] as const)('on the %s port of serverless-offline', (name) => {
  const path = name === 'http' ? '/databases/default/query' : INVOCATION;
  const urlOf = (at: string) => `http://127.0.0.1:${ports[name]}${at}`;

  test.each([
    [
      'a POST that needs no preflight',
      'POST',
      { 'content-type': 'text/plain', 'sec-fetch-site': 'cross-site' },
    ],
    ['the same in an older browser', 'POST', { 'content-type': 'text/plain' }],
    ['a preflight', 'OPTIONS', { ...PREFLIGHT, 'sec-fetch-site': 'cross-site' }],
    ['a preflight in an older browser', 'OPTIONS', PREFLIGHT],
  ])('%s of a page runs no function, and no page may read the reply', async (_kind, method, headers) => {
    const before = asked.length;
    const body = method === 'POST' ? { body: QUERY } : {};
    const reply = await http(urlOf(path), {
      method,
      headers: { origin: 'http://evil.example', ...headers },
      ...body,
    });

    expect(reply.status).toBe(403);
    expect(reply.text).toContain('No web page of another origin');
    expect(corsHeaders(reply.headers)).toEqual([]);
    expect(asked.length).toBe(before);
  });

  test('a page by whose own name this machine is reached runs no function', async () => {
    const before = asked.length;
    const headers = {
      host: `evil.example:${ports[name]}`,
      origin: `http://evil.example:${ports[name]}`,
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/json',
    };
    const reply = await http(urlOf(path), { headers, body: QUERY });

    expect(reply.status).toBe(403);
    expect(reply.text).toContain('must be localhost, 127.0.0.1 or [::1]');
    expect(asked.length).toBe(before);
  });

  test('a WebSocket of a page is refused', async () => {
    const head = ['GET / HTTP/1.1', `host: 127.0.0.1:${ports[name]}`, 'origin: http://evil.example'];
    head.push('connection: upgrade', 'upgrade: websocket', 'sec-websocket-version: 13');
    head.push('sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==');
    expect(await raw(urlOf('/'), `${head.join('\r\n')}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 403 Forbidden/);
  });

  test('a program of this machine runs the function, and no reply has a CORS header', async () => {
    const headers = { 'content-type': 'application/json', origin: `http://127.0.0.1:${ports[name]}` };
    for (const at of [path, '/nowhere']) {
      const before = asked.length;
      const reply = await http(urlOf(at), { headers, body: QUERY });
      expect(corsHeaders(reply.headers)).toEqual([]);
      expect([at, asked.length - before]).toEqual([at, at === path ? 1 : 0]);
    }
  });
});

function corsHeaders(headers: object): string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-'));
}
