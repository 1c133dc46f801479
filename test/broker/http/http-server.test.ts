import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { createHttpServer } from '../../../lib/broker/http/sockets/http-server.ts';
import { parseSettings } from '../../../lib/settings/parse-settings.ts';
import { connectTo, eventually, raw } from '../../support/http.ts';

const STALL_MS = 400;
/** More than the buffers of both ends hold. */
const LARGE_REPLY = Buffer.alloc(64_000_000, 'x');
const REQUEST = 'GET / HTTP/1.1\r\n\r\n';
const LAST_REQUEST = 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n';

const { server: settings } = parseSettings({
  databases: { default: { host: 'nowhere', database: 'd', credentials: { username: 'u', password: 'p' } } },
  allowAnonymous: true,
});

const ignored = () => undefined;

let stop: (() => void) | undefined;

afterEach(() => stop?.());

async function serve(
  listener: RequestListener,
  requestTimeoutMs = settings.requestTimeoutMs,
): Promise<string> {
  const server = createHttpServer({ ...settings, requestTimeoutMs }, listener, ignored, STALL_MS);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stop = () => {
    server.closeAllConnections();
    server.close();
  };
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

test('a caller who takes nothing of a reply is cut off', async () => {
  let closed: Promise<unknown[]> = Promise.reject(new Error('not asked'));
  closed.catch(() => undefined);
  const url = await serve((_request, response) => {
    closed = once(response, 'close');
    response.end(LARGE_REPLY);
  });
  const socket = connectTo(url).pause();
  socket.on('error', () => socket.destroy());
  socket.write(REQUEST);
  await once(socket, 'connect');
  await delay(STALL_MS / 2);
  await Promise.race([closed, delay(STALL_MS * 10).then(() => Promise.reject(new Error('still connected')))]);
  socket.destroy();
});

test('a caller who takes a reply slowly has all of it', async () => {
  const url = await serve((_request, response) => response.end(LARGE_REPLY));
  const socket = connectTo(url);
  socket.write(LAST_REQUEST);
  const startedAtMs = performance.now();
  let bytes = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (performance.now() - startedAtMs < STALL_MS * 3) await delay(2);
  }
  expect(performance.now() - startedAtMs).toBeGreaterThan(STALL_MS * 3);
  expect(bytes).toBeGreaterThan(LARGE_REPLY.length);
});

test('a statement may take longer than that, also behind a large reply on the same connection', async () => {
  let asked = 0;
  const url = await serve((_request, response) => {
    asked += 1;
    if (asked === 1) response.end(LARGE_REPLY);
    else setTimeout(() => response.end('slow but sure'), STALL_MS * 4);
  });
  expect(await raw(url, REQUEST + LAST_REQUEST)).toMatch(/slow but sure$/);
});

test('after a large reply an idle connection is kept as long as any', async () => {
  let keptMs: number | undefined;
  const url = await serve(({ socket }, response) => {
    response.once('close', () => {
      keptMs = socket.timeout;
    });
    response.end(LARGE_REPLY);
  });
  const socket = connectTo(url);
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
  });
  socket.write(REQUEST);
  await eventually(
    async () => bytes,
    (count) => count > LARGE_REPLY.length,
  );
  await delay(STALL_MS * 2);
  expect(socket.readyState).toBe('open');
  expect(keptMs).toBeGreaterThanOrEqual(65_000);
  socket.destroy();
});

test('headers have 10 seconds, also where a whole request may take longer', { timeout: 20_000 }, async () => {
  expect(settings.requestTimeoutMs).toBe(30_000);
  const url = await serve((_request, response) => response.end());
  const startedAtMs = performance.now();
  expect(await raw(url, 'GET / HTTP/1.1\r\nx-half: ')).toMatch(/^HTTP\/1\.1 408 /);
  expect(performance.now() - startedAtMs).toBeLessThan(13_000);
});

test('what comes behind a 408 is not served, and its sender does not keep the connection', async () => {
  const served: string[] = [];
  let ended: Promise<string> = Promise.reject(new Error('not asked'));
  ended.catch(() => undefined);
  const url = await serve((request, response) => {
    ended = once(request.socket, 'close').then(() => 'cut off');
    request.on('error', () => undefined);
    request.resume().on('end', () => {
      served.push('whole');
      response.end();
    });
  }, 500);
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  socket.write('POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nha');
  const [reply] = await once(socket, 'data');
  expect(String(reply)).toMatch(/^HTTP\/1\.1 408 /);
  socket.write('lf');
  const end = await Promise.race([ended, delay(5_000).then(() => 'still connected')]);
  socket.destroy();
  expect([end, served]).toEqual(['cut off', []]);
});
