import { once } from 'node:events';
import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { settingsFor } from '../../support/broker.ts';
import { type BrokerProcess, startBrokerProcess } from '../../support/broker-process.ts';
import { startTestDatabase } from '../../support/database/database.ts';
import { connectTo, eventually, http } from '../../support/http.ts';
import { createNumbers } from '../../support/numbers.ts';

const BODY_BYTES = 4_000_000;
const HEADERS = { authorization: 'Bearer writer-key', 'content-type': 'application/json' };

const database = await startTestDatabase();
let broker: BrokerProcess;

beforeAll(async () => {
  await createNumbers(database);
  broker = await startBrokerProcess(
    settingsFor(database, {
      databases: {
        // Its calls wait.
        busy: { pool: { size: 1, maxOverflow: 0, checkoutTimeoutMs: 6_000 } },
      },
    }),
    { NODE_OPTIONS: '--max-old-space-size=128' },
  );
  await eventually(
    async () => (await http(`${broker.url}/readyz`)).status,
    (status) => status === 200,
  );
});

afterAll(async () => {
  await broker.stop();
  await database.stop();
});

const agent = new Agent({ keepAlive: true });
afterAll(() => agent.destroy());

const post = async (alias: string, body: object) =>
  await http(`${broker.url}/v1/databases/${alias}/query`, {
    headers: HEADERS,
    body: JSON.stringify(body),
    agent,
  });

async function metric(name: string): Promise<number> {
  const { status, text } = await http(`${broker.url}/metrics`);
  expect(status).toBe(200);
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
}

/** What others get while `work` goes on. */
async function othersDuring(work: Promise<unknown>): Promise<unknown[]> {
  const admin = { headers: { authorization: 'Bearer admin-key' } };
  const seen = new Set<unknown>();
  const end = new AbortController();
  const over = work.finally(() => end.abort());
  while (!end.signal.aborted) {
    const replies = await Promise.all([
      post('default', { sql: 'SELECT 1' }),
      http(`${broker.url}/v1/databases`, admin),
      http(`${broker.url}/v1/databases/default/refresh-credentials`, { ...admin, body: '{}' }),
      http(`${broker.url}/healthz`),
    ]);
    for (const { status } of replies.slice(0, 2)) seen.add(status);
    seen.add(replies[3].status);
    await sleep(50);
  }
  await over;
  return [...seen];
}

const everythingIsGone = async () =>
  await eventually(
    async () => await metric('broker_buffered_bytes'),
    (bytes) => bytes < 65_536,
    30_000,
  );

test('forty waiting calls with 4 MB each do not end a broker with a small heap, nor do they fail others', {
  timeout: 120_000,
}, async () => {
  const sleeping = post('busy', { sql: 'SELECT SLEEP(8)' });
  const body = { sql: 'SELECT LENGTH(:text)', params: { text: 'x'.repeat(BODY_BYTES) } };
  const waiting = Promise.all(Array.from({ length: 40 }, async () => await post('busy', body)));
  const others = othersDuring(waiting);
  const replies = await waiting;
  const refused = replies.filter(({ text }) => text.includes('OVERLOADED'));
  expect(refused.length).toBeGreaterThan(20);
  expect(refused.length).toBeLessThan(40);
  const max = await metric('broker_buffered_bytes_max');
  for (const reply of refused) {
    expect([reply.status, reply.headers['retry-after'], reply.json()]).toMatchObject([
      503,
      '1',
      {
        error: {
          code: 'OVERLOADED',
          retryable: true,
          outcome: 'not_applied',
          limit: { name: 'maxBufferedBytes', max, actual: expect.any(Number) },
        },
      },
    ]);
  }
  expect(await others).toEqual([200]);
  expect(await metric('broker_overloads_total')).toBeGreaterThanOrEqual(refused.length);
  await sleeping;
  await everythingIsGone();
});

test('nor do they in chunks', { timeout: 120_000 }, async () => {
  const sleeping = post('busy', { sql: 'SELECT SLEEP(8)' });
  const body = JSON.stringify({ sql: 'SELECT LENGTH(:text)', params: { text: 'x'.repeat(BODY_BYTES) } });
  const send = async () => {
    const reply = await fetch(`${broker.url}/v1/databases/busy/query`, {
      method: 'POST',
      headers: HEADERS,
      body: new Blob([body]).stream(),
      duplex: 'half',
    } as RequestInit);
    return await reply.text();
  };
  const waiting = Promise.all(Array.from({ length: 40 }, send));
  const others = othersDuring(waiting);
  const replies = await waiting;
  expect(replies.filter((text) => text.includes('OVERLOADED')).length).toBeGreaterThan(20);
  expect(await others).toEqual([200]);
  await sleeping;
  await everythingIsGone();
});

test('nor do readers that take nothing of 76 replies of 4.4 MB', { timeout: 120_000 }, async () => {
  const body = JSON.stringify({ sql: "SELECT seq, REPEAT('x', 1000) FROM numbers LIMIT 4300" });
  const sockets: Socket[] = [];
  const ask = async () => {
    const socket = connectTo(broker.url).pause();
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
    const headers = Object.entries(HEADERS).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(
      `POST /v1/databases/default/query HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers.join('')}` +
        `content-length: ${body.length}\r\n\r\n${body}`,
    );
    await once(socket, 'readable');
  };
  const asked = Promise.all(Array.from({ length: 76 }, ask));
  const others = othersDuring(asked.then(async () => await sleep(5_000)));
  await asked;
  expect(await others).toEqual([200]);
  expect(await metric('broker_buffered_bytes')).toBeLessThan(
    1.2 * (await metric('broker_buffered_bytes_max')),
  );
  for (const socket of sockets) socket.destroy();
  await everythingIsGone();
  expect((await post('default', { sql: 'SELECT 1' })).status).toBe(200);
});
