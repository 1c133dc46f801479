import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually, http } from '../../support/http.ts';
import { untilNoneRuns, untilRunning } from '../../support/running-statements.ts';
import { errorOf, transactionCalls } from '../../support/transactions.ts';
import { useBroker } from '../../support/use-broker.ts';
import { literal } from '../support/dialect.ts';

const { database, broker } = await useBroker({
  databases: {
    default: { pool: { size: 3, maxOverflow: 1 }, limits: { queryTimeoutMs: 5_000 } },
    hasty: { transactions: { idleTimeoutMs: 400 } },
  },
});
const one = literal(database.server, 1);
const { begin, query, call } = transactionCalls(broker.url, broker.keys.writer);

beforeAll(async () => {
  await database.admin.query('CREATE TABLE app.counted (id INT PRIMARY KEY, n INT NOT NULL)');
});

beforeEach(async () => {
  await database.admin.query('REPLACE INTO app.counted VALUES (1, 0)');
});

/** A statement that sleeps. */
const SLEEPING = '%SLEEP%';

const counted = async () => (await database.admin.query('SELECT n FROM app.counted'))[0]?.n;

const within = async (id: string, sql: string, timeoutMs: number) =>
  await http(`${broker.url}/v1/transactions/${id}/query`, {
    headers: { ...broker.headers(), 'x-timeout-ms': String(timeoutMs) },
    body: JSON.stringify({ sql }),
  });

describe('in a transaction', () => {
  test('a statement whose deadline passes is stopped, and the transaction goes on without it', async () => {
    const id = await begin();
    await query(id, 'UPDATE counted SET n = 1');
    expect(errorOf(await within(id, 'UPDATE counted SET n = 2 + SLEEP(60)', 200))).toMatchObject([
      504,
      { code: 'DEADLINE_EXCEEDED', outcome: 'not_applied', transaction: 'open', retryable: true },
    ]);
    await untilNoneRuns(database, SLEEPING);
    expect((await call(id, 'commit')).status).toBe(200);
    expect(await counted()).toBe(1);
  });

  test('a call whose turn does not come in time is refused, and those behind it have theirs', async () => {
    const id = await begin();
    const slow = query(id, 'UPDATE counted SET n = n + 1 + SLEEP(1)');
    await untilRunning(database, SLEEPING);
    const late = within(id, 'UPDATE counted SET n = n + 10', 100);
    const next = query(id, 'UPDATE counted SET n = n + 100');
    expect(errorOf(await late)).toMatchObject([504, { outcome: 'not_applied', transaction: 'open' }]);
    expect([(await slow).status, (await next).status]).toEqual([200, 200]);
    await call(id, 'commit');
    expect(await counted()).toBe(101);
  });

  test('a statement whose caller hangs up is stopped, and the transaction goes on without it', async () => {
    const id = await begin();
    const controller = new AbortController();
    const gone = query(id, 'UPDATE counted SET n = 5 + SLEEP(60)', undefined, controller.signal);
    await untilRunning(database, SLEEPING);
    controller.abort();
    await expect(gone).rejects.toThrow('aborted');
    await untilNoneRuns(database, SLEEPING);
    expect((await call(id, 'commit')).status).toBe(200);
    expect(await counted()).toBe(0);
  });

  test('more calls in line than it takes are refused at once', async () => {
    const id = await begin();
    const slow = query(id, 'SELECT SLEEP(1)');
    await untilRunning(database, SLEEPING);
    const calls = Array.from({ length: 69 }, async () => await query(id, 'DO 0'));
    const replies = (await Promise.all([slow, ...calls])).map(errorOf);
    expect(replies.filter(([status]) => status === 200)).toHaveLength(64);
    expect(replies.find(([status]) => status === 429)).toMatchObject([
      429,
      { code: 'QUEUE_FULL', transaction: 'open' },
    ]);
    await call(id, 'rollback');
  });

  test('a call in line when it is rolled back hears that it is over', async () => {
    const id = await begin();
    const [slow, rollback, late] = await Promise.all([
      query(id, 'SELECT SLEEP(0.3)'),
      untilRunning(database, SLEEPING).then(async () => await call(id, 'rollback')),
      untilRunning(database, SLEEPING).then(async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return await query(id, 'UPDATE counted SET n = 9');
      }),
    ]);
    expect([slow.status, rollback.status]).toEqual([200, 200]);
    expect(errorOf(late)).toMatchObject([410, { reason: 'rolled_back' }]);
    expect(await counted()).toBe(0);
  });

  test('the server’s own lock timeout leaves it open, and what was locked stays so', async () => {
    const [one, two] = [await begin(), await begin()];
    await query(one, 'UPDATE counted SET n = 1');
    await query(two, 'SET SESSION innodb_lock_wait_timeout = 1');
    expect(errorOf(await query(two, 'UPDATE counted SET n = 2'))).toMatchObject([
      409,
      { code: 'LOCK_TIMEOUT', transaction: 'open', outcome: 'not_applied', retryable: true },
    ]);
    expect((await call(one, 'commit')).status).toBe(200);
    expect((await query(two, 'UPDATE counted SET n = n + 1')).status).toBe(200);
    await call(two, 'commit');
    expect(await counted()).toBe(2);
  });

  test('nothing that was set in it is left for the next borrower', async () => {
    const id = await begin();
    for (const sql of [
      'SET @left = 1',
      'SET SESSION sort_buffer_size = 65536',
      'CREATE TEMPORARY TABLE left_over (n INT)',
      "SELECT GET_LOCK('left', 0)",
      "PREPARE left_one FROM 'SELECT 1'",
      'SAVEPOINT left_here',
    ]) {
      expect((await query(id, sql)).status, sql).toBe(200);
    }
    await call(id, 'commit');
    const next = await begin();
    const seen = await query(
      next,
      "SELECT @left, @@sort_buffer_size = @@global.sort_buffer_size, IS_FREE_LOCK('left')",
    );
    expect(seen.json()).toMatchObject({ rows: [[null, one, one]] });
    expect((await query(next, 'SELECT * FROM left_over')).status).toBe(400);
    expect((await query(next, 'EXECUTE left_one')).status).toBe(400);
    expect((await query(next, 'ROLLBACK TO left_here')).status).toBe(400);
    await call(next, 'rollback');
  });
});

test('transactions leave a connection to everybody else', async () => {
  const reader = transactionCalls(broker.url, broker.keys.reader);
  const [ids, other] = [[await begin(), await begin()], await reader.begin()];
  expect(errorOf(await broker.post('/v1/databases/default/transactions', {}))).toMatchObject([
    429,
    { code: 'TOO_MANY_TRANSACTIONS' },
  ]);
  expect((await broker.query('SELECT 1')).rows).toEqual([[one]]);
  await Promise.all(ids.map(async (id) => await call(id, 'rollback')));
  await reader.call(other, 'rollback');
});

test('an operator sees open transactions, and why others ended', async () => {
  const id = await begin({}, 'hasty');
  const metrics = async () => (await http(`${broker.url}/metrics`)).text;
  expect(await metrics()).toContain('broker_transactions_open{database="hasty"} 1');
  await eventually(metrics, (text) => text.includes('broker_transactions_open{database="hasty"} 0'));
  expect(await metrics()).toContain('broker_transactions_ended_total{database="hasty",reason="idle"} 1');
  expect(broker.logs.map((line) => JSON.parse(line))).toContainEqual(
    expect.objectContaining({
      caller: 'writer',
      database: 'hasty',
      reason: 'idle',
      reqId: expect.any(String),
    }),
  );
  expect(broker.logs.join('')).not.toContain(id);
});
