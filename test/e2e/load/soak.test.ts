import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestBroker, type TestBroker } from '../../support/broker.ts';
import { type OwnDatabase, startOwnDatabase } from '../../support/database/own-database.ts';
import { eventually, http } from '../../support/http.ts';
import { type SlowProxy, startSlowProxy } from '../../support/slow-proxy.ts';

const SOAK_MS = Number(process.env.SOAK_MS ?? 15_000);
const CLIENTS = 16;
const KILL_INTERVAL_MS = 60;
const LONGEST_DELAY_MS = 6;

/** What a caller may be told while connections are killed, statements are interrupted and the server restarts. */
const EXPECTED = [
  'ok',
  'hung up',
  'CONNECTION_LOST',
  'DATABASE_UNREACHABLE',
  'DEADLINE_EXCEEDED',
  'POOL_TIMEOUT',
  // MySQL's own "query execution was interrupted".
  'SQL_ERROR',
];

let database: OwnDatabase;
let proxy: SlowProxy;
let broker: TestBroker;

beforeAll(async () => {
  database = await startOwnDatabase();
  await database.admin.query('CREATE TABLE app.soak (id INT PRIMARY KEY, slept INT) ENGINE = InnoDB');
  proxy = await startSlowProxy(database.server.port, LONGEST_DELAY_MS);
  const pool = {
    size: 3,
    maxOverflow: 3,
    checkoutTimeoutMs: 2_000,
    recycleAfterMs: 3_000,
    idleTimeoutMs: 1_000,
  };
  broker = await startTestBroker(database, { databases: { default: { port: proxy.port, pool } } });
});

afterAll(async () => {
  await broker.stop();
  await proxy.close();
  await database.stop();
});

interface Request {
  readonly sql: string;
  readonly params?: readonly number[];
  readonly timeoutMs?: number;
}

/** What one client asks for in turn. Only the writes use `id`, which nobody else has. */
const REQUESTS: readonly ((id: number) => Request)[] = [
  () => ({ sql: 'SELECT COUNT(*) FROM soak' }),
  (id) => ({ sql: 'INSERT INTO soak VALUES (?, 0)', params: [id] }),
  () => ({ sql: 'SELECT SLEEP(0.1)' }),
  (id) => ({ sql: 'INSERT INTO soak SELECT ?, SLEEP(0.1)', params: [id] }),
  (id) => ({ sql: 'INSERT INTO soak SELECT ?, SLEEP(0.1)', params: [id], timeoutMs: 100 }),
  () => ({ sql: 'SELECT SLEEP(10)', timeoutMs: 150 }),
];

/** Counts what callers were told, and what they may believe of their writes. */
class Ledger {
  readonly told = new Map<string, number>();
  readonly written = new Set<number>();
  readonly notWritten = new Set<number>();

  answered(status: number, body: unknown, id: number | undefined): void {
    const { error } = body as { error?: { code: string; outcome: string } };
    this.#count(status === 200 ? 'ok' : String(error?.code));
    if (id === undefined) return;
    const outcome = status === 200 ? 'applied' : error?.outcome;
    if (outcome === 'applied') this.written.add(id);
    if (outcome === 'not_applied') this.notWritten.add(id);
  }

  hungUp(): void {
    this.#count('hung up');
  }

  #count(what: string): void {
    this.told.set(what, (this.told.get(what) ?? 0) + 1);
  }
}

/** Asks for one thing after the other; every seventh time it hangs up in the middle. */
async function client(number: number, ledger: Ledger, isOver: () => boolean): Promise<void> {
  for (let turn = 0; !isOver(); turn += 1) {
    const id = number * 1_000_000 + turn;
    const request = REQUESTS[(number + turn) % REQUESTS.length]?.(id);
    const key = turn % 5 === 0 && request?.params === undefined ? broker.keys.reader : broker.keys.writer;
    const hangsUp = turn % 7 === 0;
    try {
      const reply = await http(broker.queryUrl(), {
        headers: broker.headers(key),
        body: JSON.stringify(request),
        ...(hangsUp ? { signal: AbortSignal.timeout(Math.ceil(Math.random() * 80)) } : {}),
      });
      ledger.answered(reply.status, reply.json(), request?.params?.[0]);
    } catch (error) {
      if (!hangsUp) throw error;
      ledger.hungUp();
    }
  }
}

const appConnections = async () =>
  await database.admin.query("SELECT id FROM information_schema.processlist WHERE user = 'app'");

/** Kills connections and statements at random. How many. */
async function killAtRandom(isOver: () => boolean): Promise<number> {
  let kills = 0;
  while (!isOver()) {
    await delay(KILL_INTERVAL_MS);
    const what = kills % 3 === 0 ? 'QUERY' : 'CONNECTION';
    try {
      const connections = await appConnections();
      const victim = connections[Math.floor(Math.random() * connections.length)];
      if (victim !== undefined) await database.admin.query(`KILL ${what} ${String(victim.id)}`);
      kills += victim === undefined ? 0 : 1;
    } catch {
      // The victim has gone already, or the server is restarting.
    }
  }
  return kills;
}

test(
  'a mixed load with kills, a restart and latency ends with nothing lost, stuck or left open',
  async () => {
    const ledger = new Ledger();
    const endMs = performance.now() + SOAK_MS;
    const isOver = () => performance.now() > endMs;
    const clients = Array.from(
      { length: CLIENTS },
      async (_, number) => await client(number, ledger, isOver),
    );
    const killing = killAtRandom(isOver);
    await delay(SOAK_MS / 2);
    await database.server.restart();
    await Promise.all(clients);

    const told = Object.fromEntries(ledger.told);
    expect(Object.keys(told).filter((what) => !EXPECTED.includes(what))).toEqual([]);
    for (const what of ['ok', 'hung up', 'CONNECTION_LOST', 'DEADLINE_EXCEEDED'])
      expect(told).toHaveProperty(what);
    expect(await killing).toBeGreaterThan(0);

    const { pool } = broker.broker.pools.get('default');
    const stats = await eventually(
      async () => pool.stats(),
      ({ idle, connections }) => idle === connections,
    );
    expect(stats).toMatchObject({ checkedOut: 0, waiting: 0, opening: 0, closing: 0 });
    // The pool may still be pausing between its attempts to connect.
    await eventually(
      async () => await broker.post('/v1/databases/default/query', { sql: 'SELECT 1' }),
      ({ status }) => status === 200,
    );

    const stored = new Set(
      (await database.admin.query('SELECT id FROM app.soak')).map(({ id }) => Number(id)),
    );
    expect([...ledger.written].filter((id) => !stored.has(id))).toEqual([]);
    expect([...ledger.notWritten].filter((id) => stored.has(id))).toEqual([]);

    await broker.stop();
    expect(pool.stats()).toMatchObject({ connections: 0, checkedOut: 0, waiting: 0 });
    await eventually(appConnections, (connections) => connections.length === 0);
  },
  SOAK_MS + 60_000,
);
