import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { type Call, type Route, replyOf } from '../../../lib/broker/http/call.ts';
import { HttpApp } from '../../../lib/broker/http/http-app.ts';
import { parseSettings } from '../../../lib/settings/parse-settings.ts';
import { eventually, http, raw } from '../../support/http.ts';

const { server: settings } = parseSettings({
  databases: { default: { host: 'nowhere', database: 'd', credentials: { username: 'u', password: 'p' } } },
  allowAnonymous: true,
});

let logs: string[] = [];
let app: HttpApp | undefined;

afterEach(async () => {
  app?.server.closeAllConnections();
  await app?.close();
  logs = [];
});

/** A server with one route. */
async function serve(handle: Route['handle']): Promise<string> {
  const log = pino({}, { write: (line) => logs.push(line) });
  app = new HttpApp({ settings, log, onDone: () => undefined, onRawReply: () => undefined });
  app.addRoute({ method: 'POST', path: '/', handle });
  return await app.listen({ host: '127.0.0.1', port: 0 });
}

/** Work that lasts until it is told to end. */
function held(): { readonly until: Promise<void>; end(): void } {
  let end = () => {};
  const until = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { until, end: () => end() };
}

test('close waits for what is being answered, and then for nothing', async () => {
  const work = held();
  const url = await serve(async () => {
    await work.until;
    return replyOf({});
  });
  // The caller keeps its connection open for a next request.
  const reply = raw(url, 'POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n');
  await delay(100);
  let hasClosed = false;
  const closed = app?.close().then(() => {
    hasClosed = true;
  });
  await delay(100);
  expect(hasClosed).toBe(false);
  work.end();
  await closed;
  expect(await reply).toMatch(/^HTTP\/1.1 200 /);
});

test('a route that fails behind its own reply has its caller cut off, and its line in the log', async () => {
  const url = await serve(async (call: Call) => {
    call.response.writeHead(200).write('half of');
    await delay(10);
    throw new Error('broken');
  });
  expect(await raw(url, 'POST / HTTP/1.1\r\n\r\n')).toMatch(/half of\r\n$/);
  expect(logs.join('')).toContain('"unexpected error"');
});

test('a reply that cannot be sent is no end of the process', async () => {
  const url = await serve(async (call: Call) => {
    call.replyHeaders.allow = 'no header\n';
    return replyOf({});
  });
  expect(await raw(url, 'POST / HTTP/1.1\r\n\r\n')).toBe('');
  expect((await http(`${url}/nowhere`)).status).toBe(404);
});

test('of a call that waits the bytes of its body are not kept', async () => {
  const [callers, bodyBytes] = [20, 1_000_000];
  const work = held();
  let waiting = 0;
  const url = await serve(async (call) => {
    call.body = undefined;
    waiting += 1;
    await work.until;
    return replyOf({});
  });
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const bytes = async () => {
    // What is freed is counted as such a little later.
    collectGarbage();
    await delay(100);
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  };
  const before = await bytes();
  const head = `POST / HTTP/1.1\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${bodyBytes}`;
  const calls = Array.from({ length: callers }, () =>
    raw(url, `${head}\r\n\r\n"${'x'.repeat(bodyBytes - 2)}"`),
  );
  await eventually(
    async () => waiting,
    (count) => count === callers,
  );
  const kept = (await bytes()) - before;
  work.end();
  for (const reply of await Promise.all(calls)) expect(reply).toMatch(/^HTTP\/1.1 200 /);
  expect(kept).toBeLessThan((callers * bodyBytes) / 4);
});
