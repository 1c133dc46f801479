import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestBroker, type TestBroker } from '../../support/broker.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { type HttpReply, http } from '../../support/http.ts';
import { untilRunning } from '../../support/running-statements.ts';
import { closeGate, createOrders, failGatedInsert, GATED_INSERT, openGate } from '../support/gate.ts';

const KEY_INSERT = 'INSERT INTO `broker_idempotency`';

/*
 * Several brokers before one database know nothing of each other: only the database keeps their calls apart.
 */

let database: TestDatabase;
let brokers: readonly TestBroker[];

beforeAll(async () => {
  database = await startTestDatabase();
  const databases = {
    default: { idempotency: {} },
    hasty: { idempotency: {}, session: { variables: { innodb_lock_wait_timeout: 1 } } },
    dirty: { idempotency: {}, session: { variables: { transaction_isolation: 'READ-UNCOMMITTED' } } },
  };
  brokers = await Promise.all([1, 2, 3, 4].map(async () => await startTestBroker(database, { databases })));
  await createOrders(database);
});

afterAll(async () => {
  await Promise.all(brokers.map(async (broker) => await broker.stop()));
  await database.stop();
});

beforeEach(async () => {
  await database.admin.query('DELETE FROM app.orders');
});

async function send(broker: number, key: string, body: object, alias = 'default'): Promise<HttpReply> {
  const { url, headers } = brokers[broker] ?? {};
  return await http(`${url}/v1/databases/${alias}/query`, {
    headers: { ...headers?.(), 'idempotency-key': key },
    body: JSON.stringify(body),
  });
}

const summary = (reply: HttpReply) => [
  reply.status,
  (reply.json() as { error?: { code: string } }).error?.code ?? reply.headers['idempotent-replay'] ?? 'done',
];

async function count(): Promise<string> {
  const [row] = await database.admin.query('SELECT COUNT(*) AS n FROM app.orders');
  return String(row?.n);
}

test('the table is made once by brokers that miss it at the same time', async () => {
  const replies = await Promise.all(
    brokers.map(async (_, index) => await send(index, `first-${index}`, { sql: 'SELECT 1' })),
  );
  expect(replies.map(summary)).toEqual(brokers.map(() => [200, 'done']));
});

test.each(['default', 'dirty'])(
  'a repeat on another broker waits and gets the answer (%s)',
  async (alias) => {
    await closeGate(database);
    const first = send(0, `repeat-${alias}`, GATED_INSERT, alias);
    await untilRunning(database, `${GATED_INSERT.sql}%`);
    const second = send(1, `repeat-${alias}`, GATED_INSERT, alias);
    await untilRunning(database, `${KEY_INSERT}%`);
    await openGate(database);
    expect([summary(await first), summary(await second)]).toEqual([
      [200, 'done'],
      [200, 'true'],
    ]);
    expect((await second).text).toBe((await first).text);
    expect(await count()).toBe('1');
  },
);

/** Longer than the server waits for a lock of `hasty`. */
const BUDGET_MS = 1_300;

test.each(['default', 'hasty'])(
  'a repeat on another broker hears that it is in progress (%s)',
  async (alias) => {
    const sleep = { sql: 'INSERT INTO orders (note) SELECT SLEEP(20)' };
    const first = send(0, `progress-${alias}`, sleep, alias);
    const [id] = await untilRunning(database, `${sleep.sql}%`);
    const second = await send(1, `progress-${alias}`, { ...sleep, timeoutMs: BUDGET_MS }, alias);
    await database.admin.query(`KILL ${id}`);
    expect(summary(second)).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
    expect(second.json()).toMatchObject({ error: { retryable: true, outcome: 'not_applied' } });
    expect(summary(await first)).toEqual([502, 'CONNECTION_LOST']);
    expect(await count()).toBe('0');
  },
);

test('a repeat waits for longer than the server waits for locks', async () => {
  const sleep = { sql: 'INSERT INTO orders (note) SELECT SLEEP(2)' };
  const first = send(0, 'hasty', sleep, 'hasty');
  await untilRunning(database, `${sleep.sql}%`);
  expect([summary(await send(1, 'hasty', sleep, 'hasty')), summary(await first)]).toEqual([
    [200, 'true'],
    [200, 'done'],
  ]);
});

test('when the first one fails, one of those that wait on other brokers does it, and no deadlock shows', async () => {
  for (const round of [1, 2, 3]) {
    const key = `deadlock-${round}`;
    await closeGate(database);
    const first = send(0, key, GATED_INSERT);
    await untilRunning(database, `${GATED_INSERT.sql}%`);
    const others = [1, 2, 3].map(async (broker) => await send(broker, key, GATED_INSERT));
    await untilRunning(database, `${KEY_INSERT}%`, 3);
    await failGatedInsert(database);
    expect(summary(await first)).toEqual([400, 'SQL_ERROR']);
    await openGate(database);
    expect((await Promise.all(others)).map(summary).sort()).toEqual([
      [200, 'done'],
      [200, 'true'],
      [200, 'true'],
    ]);
  }
  expect(await count()).toBe('3');
});

test('an expired key is taken by one of those that ask for it at once', async () => {
  const insert = { sql: 'INSERT INTO orders (note) VALUES (1)' };
  await send(0, 'expired', insert);
  for (const round of [2, 3, 4, 5, 6]) {
    await database.admin.query("UPDATE app.broker_idempotency SET expires_at = '2001-01-01'");
    const all = brokers.map(async (_, broker) => await send(broker, 'expired', insert));
    expect((await Promise.all(all)).map(summary).sort()).toEqual([
      [200, 'done'],
      ...[1, 2, 3].map(() => [200, 'true']),
    ]);
    expect(await count()).toBe(String(round));
  }
});

test('many keys sent to every broker at once are each done once', async () => {
  const names = Array.from({ length: 60 }, (_, index) => `many-${index}`);
  const replies = await Promise.all(
    names.flatMap((name) =>
      brokers.map(
        async (_, broker) =>
          await send(broker, name, { sql: 'INSERT INTO orders (note) VALUES (?)', params: [name] }),
      ),
    ),
  );
  expect(replies.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([]);
  expect(replies.filter((reply) => summary(reply)[1] === 'done')).toHaveLength(60);
  const rows = await database.admin.query('SELECT note FROM app.orders');
  expect(rows.map(({ note }) => String(note)).sort()).toEqual(names.toSorted());
});
