import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { connectTo, eventually, raw } from '../../support/http.ts';
import { untilNoneRuns, untilRunning } from '../../support/running-statements.ts';
import { useBroker } from '../../support/use-broker.ts';

const MAX_CONNECTIONS = 5;

const { database, broker } = await useBroker({
  server: { requestTimeoutMs: 1_000, maxConnections: MAX_CONNECTIONS, accessLog: 'all' },
});

beforeAll(async () => {
  await database.admin.query('CREATE TABLE app.counted (n INT)');
});

function head(length: number, requestId: string, ...headers: string[]): string {
  const lines = [
    'POST /v1/databases/default/query HTTP/1.1',
    'host: localhost',
    `authorization: Bearer ${broker.keys.writer}`,
    'content-type: application/json',
    `content-length: ${length}`,
    `x-request-id: ${requestId}`,
    ...headers,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function query(sql: string, requestId: string, ...headers: string[]): string {
  const body = JSON.stringify({ sql });
  return `${head(body.length, requestId, ...headers)}${body}`;
}

/** The lines that the log has for a request, one at least. */
async function linesOf(requestId: string): Promise<object[]> {
  return await eventually(
    async () =>
      broker.logs
        .filter((line) => line.includes(`"reqId":"${requestId}"`))
        .map((line) => JSON.parse(line) as object),
    (lines) => lines.length > 0,
  );
}

describe('garbage behind a request', () => {
  test('is not answered while the request is being served', async () => {
    const reply = await raw(
      broker.url,
      `${query('INSERT INTO counted VALUES (SLEEP(0.3))', 'before')}} garbage\r\n\r\n`,
    );
    expect(reply).toBe('');
    expect(await linesOf('before')).toMatchObject([{ status: 499, code: 'CALLER_GONE' }]);
  });

  test('is not answered either when it comes as CONNECT', async () => {
    const reply = await raw(
      broker.url,
      `${query('SELECT SLEEP(0.3)', 'tunnel')}CONNECT a:1 HTTP/1.1\r\n\r\n`,
    );
    expect(reply).toBe('');
  });

  test('is 400 when the reply before it was sent', async () => {
    const socket = connectTo(broker.url);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
    });
    socket.write('GET /healthz HTTP/1.1\r\n\r\n');
    await eventually(
      async () => text,
      (seen) => seen.includes('"ok"'),
    );
    socket.write('garbage\r\n\r\n');
    await once(socket, 'close');
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
  });
});

test('a caller who hangs up stops every statement that he pipelined, and leaves a line for each', async () => {
  const socket = connectTo(broker.url);
  socket.write(query('SELECT SLEEP(61)', 'first') + query('SELECT SLEEP(62)', 'second'));
  await untilRunning(database, '%SLEEP%', 2);
  socket.destroy();
  await untilNoneRuns(database, '%SLEEP%');
  for (const requestId of ['first', 'second']) {
    expect(await linesOf(requestId)).toMatchObject([{ status: 499, code: 'CALLER_GONE' }]);
  }
});

test('pipelined requests that are answered have a line each', async () => {
  const reply = await raw(
    broker.url,
    query('SELECT 1', 'one') + query('SELECT 2', 'two') + query('SELECT 3', 'three', 'connection: close'),
  );
  expect(reply.match(/^x-request-id: .*$/gm)).toEqual([
    'x-request-id: one',
    'x-request-id: two',
    'x-request-id: three',
  ]);
  for (const requestId of ['one', 'two', 'three']) {
    expect(await linesOf(requestId)).toMatchObject([{ status: 200, caller: 'writer' }]);
  }
});

test('an upload that breaks off is a caller who went, not a failure of the broker', async () => {
  const socket = connectTo(broker.url);
  socket.write(`${head(1_000, 'upload')}{"sql":`);
  await delay(50);
  socket.resetAndDestroy();
  expect(await linesOf('upload')).toMatchObject([{ level: 30, status: 499, code: 'CALLER_GONE' }]);
});

test('headers that do not end are stopped', async () => {
  const reply = await raw(broker.url, 'GET /healthz HTTP/1.1\r\nx-half: ');
  expect(reply).toMatch(/^HTTP\/1\.1 408 /);
  expect(reply).toContain('"REQUEST_TIMEOUT"');
});

test('the time that a body takes to arrive is part of the budget', async () => {
  const body = '{"sql":"SELECT 1"}';
  const socket = connectTo(broker.url);
  socket.write(head(body.length, 'late', 'x-timeout-ms: 200', 'connection: close') + body.slice(0, 5));
  await delay(300);
  socket.write(body.slice(5));
  const [reply] = (await once(socket, 'data')) as [Buffer];
  expect(reply.toString()).toMatch(/^HTTP\/1\.1 504 [\s\S]*"DEADLINE_EXCEEDED"[\s\S]*"not_applied"/);
});

test('connections beyond maxConnections are closed, and there is room again when others go', async () => {
  const sockets = Array.from({ length: MAX_CONNECTIONS }, () => connectTo(broker.url));
  await Promise.all(sockets.map(async (socket) => await once(socket, 'connect')));
  const request = 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n';
  expect(await raw(broker.url, request)).toBe('');
  for (const socket of sockets) socket.destroy();
  await eventually(
    async () => await raw(broker.url, request),
    (reply) => reply.startsWith('HTTP/1.1 200'),
  );
});

// The last one: there is no way back.
test('a broker that is leaving still serves, and asks its callers to connect elsewhere', async () => {
  const request = query('SELECT 1', 'leaving', 'connection: keep-alive');
  broker.broker.lifecycle.enter('leaving');
  const reply = await raw(broker.url, request);
  expect(reply).toMatch(/^HTTP\/1\.1 200 [\s\S]*^connection: close$/m);
});
