import { createConnection } from 'mysql2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BrokerError, connect } from '../../../lib/index.ts';
import { settingsFor } from '../../support/broker.ts';
import { type BrokerProcess, startBrokerProcess } from '../../support/broker-process.ts';
import { startOwnDatabase, type TestDatabase } from '../../support/database/own-database.ts';

const CLIENTS = 1_000;
const SIZE = 10;
const MAX_OVERFLOW = 10;

let database: TestDatabase;

beforeAll(async () => {
  // Few enough that a burst without the pool drowns it.
  database = await startOwnDatabase({ maxConnections: 100 });
});

afterAll(async () => {
  await database.stop();
});

async function withBroker<T>(pool: object, work: (broker: BrokerProcess) => Promise<T>): Promise<T> {
  const sizes = { size: SIZE, maxOverflow: MAX_OVERFLOW };
  const broker = await startBrokerProcess(
    settingsFor(database, { databases: { default: { pool: { ...sizes, ...pool } } } }),
  );
  try {
    return await work(broker);
  } finally {
    await broker.stop();
  }
}

/** What became of each request of a burst: `ok`, or the error's code. */
async function burst({ url }: BrokerProcess, sql: string): Promise<Map<string, number>> {
  const outcomes = new Map<string, number>();
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      const db = connect({ url, key: 'writer-key' });
      for (let turn = 0; turn < 2; turn += 1) {
        try {
          const { rows } = await db.query<{ n: number }>(sql, [client]);
          count(rows[0]?.n === client ? 'ok' : 'wrong');
        } catch (error) {
          count(error instanceof BrokerError ? error.code : String(error));
        }
      }
    }),
  );
  return outcomes;
}

/** Runs `work` while the server's own count of the app's connections is watched; the highest count seen. */
async function watched(work: () => Promise<void>): Promise<{ seen: number; maxUsed: number }> {
  await database.admin.query('FLUSH STATUS');
  const watch = { isOver: false, seen: 0 };
  const watching = (async () => {
    while (!watch.isOver) {
      const [row] = await database.admin.query(
        "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user <> 'root'",
      );
      watch.seen = Math.max(watch.seen, Number(row?.n));
    }
  })();
  await work();
  watch.isOver = true;
  await watching;
  const [row] = await database.admin.query("SHOW GLOBAL STATUS LIKE 'Max_used_connections'");
  // One of them is the one that watches.
  return { seen: watch.seen, maxUsed: Number(row?.Value) - 1 };
}

/** A burst against a broker of its own, watched. */
async function watchedBurst(pool: object, sql: string) {
  return await withBroker(pool, async (broker) => {
    let outcomes = new Map<string, number>();
    const counts = await watched(async () => {
      outcomes = await burst(broker, sql);
    });
    return { outcomes, ...counts };
  });
}

describe('1000 clients at once, two requests each', () => {
  test('are all served over at most 20 connections, as the server counts', async () => {
    const { outcomes, seen, maxUsed } = await watchedBurst(
      // However slow the machine is: nobody is to be turned away.
      { checkoutTimeoutMs: 25_000 },
      'SELECT ? AS n',
    );
    expect(Object.fromEntries(outcomes)).toEqual({ ok: 2 * CLIENTS });
    expect(seen).toBeGreaterThanOrEqual(SIZE);
    expect(seen).toBeLessThanOrEqual(SIZE + MAX_OVERFLOW);
    expect(maxUsed).toBeLessThanOrEqual(SIZE + MAX_OVERFLOW);
  }, 60_000);

  test('are served or told POOL_TIMEOUT when the database is slow', async () => {
    const { outcomes, seen, maxUsed } = await watchedBurst(
      { checkoutTimeoutMs: 1_000 },
      'SELECT ? + SLEEP(0.5) AS n',
    );
    expect([...outcomes.keys()].sort()).toEqual(['POOL_TIMEOUT', 'ok']);
    expect([...outcomes.values()].reduce((sum, n) => sum + n)).toBe(2 * CLIENTS);
    expect(seen).toBe(SIZE + MAX_OVERFLOW);
    expect(maxUsed).toBe(SIZE + MAX_OVERFLOW);
  }, 60_000);

  test('without the pool drown the database', async () => {
    const { host, port } = database.server;
    const { user, password } = database.app;
    const connections = Array.from({ length: CLIENTS }, () =>
      createConnection({ host, port, user, password, connectTimeout: 5_000 }),
    );
    const failures = await Promise.all(
      connections.map(
        async (connection) =>
          await new Promise<number | undefined>((resolve) => {
            connection.once('error', (error: NodeJS.ErrnoException) => resolve(error.errno));
            connection.once('connect', () => resolve(undefined));
          }),
      ),
    );
    for (const connection of connections) connection.destroy();
    expect(failures.filter((errno) => errno === 1040).length).toBeGreaterThan(0);
  }, 60_000);
});
