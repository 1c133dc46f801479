import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { settingsFor } from '../../support/broker.ts';
import { type BrokerProcess, startBrokerProcess } from '../../support/broker-process.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { eventually, http } from '../../support/http.ts';
import { openStream } from '../../support/stream.ts';

const LIMIT_BYTES = 4_500_000;
/** What the settings allow by default. */
const CONNECTIONS = 20;
/** As many as one caller may open: the last of `maxStreams` is kept for another one. */
const STREAMS = CONNECTIONS - 2;
const CELL_BYTES = 15_000_000;
/** More than one packet holds. */
const LARGE = { sql: 'SELECT v, v FROM large' };
/** The server needs much time for many of these at once. */
const TIMEOUT_MS = 110_000;

let database: TestDatabase;
let broker: BrokerProcess;

beforeAll(async () => {
  database = await startTestDatabase();
  await database.admin.query('SET GLOBAL max_allowed_packet = 268435456');
  await database.admin.query('CREATE TABLE app.large (v LONGTEXT)');
  await database.admin.query(
    `INSERT INTO app.large VALUES (REPEAT(REPEAT('x', 1000), ${CELL_BYTES / 1_000}))`,
  );
  broker = await startBrokerProcess(
    settingsFor(database, {
      server: { drainTimeoutMs: 2 * TIMEOUT_MS },
      databases: {
        default: {
          pool: { checkoutTimeoutMs: TIMEOUT_MS },
          limits: { maxRowBytes: LIMIT_BYTES, maxStreams: CONNECTIONS - 1, queryTimeoutMs: TIMEOUT_MS },
        },
      },
    }),
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
const url = (path: string) => `${broker.url}/v1/databases/default/${path}`;
const post = async (path: string, body: object) =>
  await http(path, { headers: HEADERS, body: JSON.stringify(body) });

async function residentBytes(): Promise<number> {
  const { text } = await http(`${broker.url}/metrics`);
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
}

/** What the broker's memory grew by at the most while `work` went on. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  const before = await residentBytes();
  let peak = before;
  const end = new AbortController();
  const done = work().finally(() => end.abort());
  while (!end.signal.aborted) {
    peak = Math.max(peak, await residentBytes());
    await delay(20);
  }
  await done;
  return peak - before;
}

async function refused(): Promise<unknown> {
  const reply = await post(url('query'), LARGE);
  return { status: reply.status, ...(reply.json() as object) };
}

async function refusedStream(): Promise<unknown> {
  const reply = await openStream(url('query'), HEADERS, LARGE);
  return reply.response.statusCode;
}

test(
  'rows that are larger than the limit do not come into memory, however many come at once',
  async () => {
    const ask = async () => await Promise.all(Array.from({ length: CONNECTIONS }, refused));
    let replies: unknown[] = [];
    const grown = await growth(async () => {
      replies = await ask();
    });
    const failure = {
      status: 422,
      error: {
        code: 'RESULT_TOO_LARGE',
        outcome: 'not_applied',
        limit: { name: 'maxResultBytes', max: LIMIT_BYTES, actual: expect.any(Number) },
      },
    };
    expect(replies).toMatchObject(Array.from({ length: CONNECTIONS }, () => failure));
    // Kept until they were whole, they would be 1.2 GB.
    expect(grown).toBeLessThan(CONNECTIONS * LIMIT_BYTES);
  },
  TIMEOUT_MS,
);

test(
  'neither do those of streams',
  async () => {
    let statuses: unknown[] = [];
    const grown = await growth(async () => {
      statuses = await Promise.all(Array.from({ length: STREAMS }, refusedStream));
    });
    expect(statuses).toEqual(Array.from({ length: STREAMS }, () => 422));
    expect(grown).toBeLessThan(CONNECTIONS * LIMIT_BYTES);
  },
  TIMEOUT_MS,
);

test(
  'a stream whose tenth row is too large has the nine before it, and tells why it ends',
  async () => {
    const rows = Array.from({ length: 9 }, (_, index) => `SELECT '${index}', ''`).join(' UNION ALL ');
    const stream = await openStream(url('query'), HEADERS, { sql: `${rows} UNION ALL ${LARGE.sql}` });
    const lines = await stream.rest();
    expect(lines.flatMap((line) => ('rows' in line ? line.rows : []))).toHaveLength(9);
    expect(lines.at(-1)).toMatchObject({
      error: { code: 'RESULT_TOO_LARGE', limit: { name: 'maxRowBytes', max: LIMIT_BYTES } },
    });
  },
  TIMEOUT_MS,
);
