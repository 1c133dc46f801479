import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { settingsFor } from '../../support/broker.ts';
import { type BrokerProcess, startBrokerProcess } from '../../support/broker-process.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { eventually, http } from '../../support/http.ts';
import { createNumbers } from '../../support/numbers.ts';
import { openStream } from '../../support/stream.ts';

const MOST_GROWTH_BYTES = 64_000_000;
const ROWS = 1_000_000;

/** What the settings allow by default. */
const CONNECTIONS = 20;
const LIMIT_BYTES = 4_500_000;

let database: TestDatabase;
let broker: BrokerProcess;

beforeAll(async () => {
  database = await startTestDatabase();
  await createNumbers(database);
  broker = await startBrokerProcess(
    settingsFor(database, { databases: { default: { pool: { checkoutTimeoutMs: 30_000 } } } }),
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

const HEADERS = { authorization: 'Bearer writer-key', 'content-type': 'application/json' };
const query = () => `${broker.url}/v1/databases/default/query`;

const stream = async (rows: number) =>
  await openStream(query(), HEADERS, {
    sql: `SELECT seq, CONCAT('name ', seq), REPEAT('x', 100) FROM numbers, digits LIMIT ${rows}`,
  });

async function residentBytes(): Promise<number> {
  const { text } = await http(`${broker.url}/metrics`);
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
}

/** The most memory that the broker had while `work` went on. */
async function peakBytes(work: Promise<unknown>): Promise<number> {
  let peak = 0;
  const end = new AbortController();
  const done = work.finally(() => end.abort());
  while (!end.signal.aborted) {
    peak = Math.max(peak, await residentBytes());
    await delay(50);
  }
  await done;
  return peak;
}

/** Takes the bytes of a stream as they are: how many lines, and how it ends. */
async function drain(rows: number, pauseMs: number): Promise<string> {
  const { response } = await stream(rows);
  let tail = '';
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const before = bytes;
    bytes += chunk.length;
    tail = (tail + chunk.toString('latin1')).slice(-1_000);
    // In the middle.
    if (before < 20_000_000 && bytes >= 20_000_000) await delay(pauseMs);
  }
  return tail.trimEnd().split('\n').at(-1) ?? '';
}

test.each([
  ['at once', 0],
  ['with a pause of three seconds in the middle', 3_000],
])(
  'a million rows that are taken %s take the broker less than 64 MB',
  { timeout: 120_000 },
  async (_, pauseMs) => {
    // The heap takes its working size, with the same pause. Rows that were kept would still add more than the bound for
    // the other 700,000.
    await drain(300_000, pauseMs);
    const before = await residentBytes();
    const taken = drain(ROWS, pauseMs);
    const peak = await peakBytes(taken);
    expect(JSON.parse(await taken)).toMatchObject({ end: { rowCount: ROWS } });
    expect(peak - before).toBeLessThan(MOST_GROWTH_BYTES);
  },
);

test('forty results of too many bytes at once take a few times their limit for each connection', async () => {
  const sql = "SELECT REPEAT('x', 1000) FROM numbers a, numbers b";
  const ask = async () => await http(query(), { headers: HEADERS, body: JSON.stringify({ sql }) });
  await ask();
  const before = await residentBytes();
  const asked = Promise.all(Array.from({ length: 40 }, ask));
  const peak = await peakBytes(asked);
  for (const reply of await asked) {
    expect([reply.status, reply.json()]).toMatchObject([
      422,
      { error: { code: 'RESULT_TOO_LARGE', outcome: 'not_applied', limit: { name: 'maxResultBytes' } } },
    ]);
  }
  expect(peak - before).toBeLessThan(4 * CONNECTIONS * LIMIT_BYTES);
});

test('results of many small values at once take a few times their limit for each connection', async () => {
  const sql = "SELECT seq, CONCAT('name ', seq), seq / 7 FROM numbers LIMIT 100000";
  const ask = async () => {
    const reply = await http(query(), { headers: HEADERS, body: JSON.stringify({ sql }) });
    return [reply.status, reply.text.length];
  };
  const [status, length] = await ask();
  expect(status).toBe(200);
  const before = await residentBytes();
  const asked = Promise.all(Array.from({ length: 2 * CONNECTIONS }, ask));
  const peak = await peakBytes(asked);
  for (const [repliedStatus, repliedLength = 0] of await asked) {
    expect(repliedStatus).toBe(200);
    expect(Math.abs(repliedLength - Number(length))).toBeLessThan(20);
  }
  expect(peak - before).toBeLessThan(4 * CONNECTIONS * LIMIT_BYTES);
});
