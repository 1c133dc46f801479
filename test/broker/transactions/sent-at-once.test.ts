import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { DatabaseAdmin } from '../../../infra/local/database/database-admin.ts';
import { Result } from '../../../lib/protocol/query.ts';
import { errorOf, transactionCalls } from '../../support/transactions.ts';
import { useBroker } from '../../support/use-broker.ts';

const { database, broker } = await useBroker({
  databases: { default: { pool: { size: 3, maxOverflow: 0 }, limits: { maxResultBytes: 20_000 } } },
});
const { admin } = database;

await admin.query('CREATE TABLE app.t (id INT PRIMARY KEY, n TINYINT NOT NULL, s VARCHAR(9000))');
beforeEach(async () => {
  await admin.query('DELETE FROM app.t');
  await admin.query("INSERT INTO app.t VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')");
});

const send = async (statements: readonly object[]) =>
  await broker.post('/v1/databases/default/transaction', { statements });
const rows = async () => await admin.query('SELECT * FROM app.t ORDER BY id');

/** What may stand in a transaction: what goes well, in spellings that a joined text could break, and what fails. */
const STATEMENTS = [
  { sql: 'INSERT INTO t VALUES (?, 1, NULL)', params: [10] },
  { sql: 'INSERT INTO t VALUES (?, 1, NULL)', params: [1] },
  { sql: 'INSERT INTO t VALUES (11, 300, NULL)' },
  { sql: 'UPDATE t SET n = n + 1 -- the last comment' },
  { sql: 'UPDATE t SET n = 7 WHERE id = 1', expect: { affectedRows: 1 } },
  { sql: 'DELETE FROM t WHERE id = 3', expect: { affectedRows: 2 } },
  { sql: 'UPDATE t SET n = n + 1 # another' },
  { sql: "UPDATE t SET s = ';' WHERE s = 'b'; -- closed" },
  { sql: 'DELETE FROM t WHERE id = 3 /* here */ ;' },
  { sql: 'SELECT id, n FROM t ORDER BY id /* ; SELECT 2 */' },
  { sql: "SELECT 'a;b', `n` FROM t WHERE id = :id", params: { id: 2 } },
  { sql: 'SELECT ROW_COUNT(), LAST_INSERT_ID()' },
  { sql: 'SELECT nothing' },
  { sql: "SELECT 'no table' FROM nowhere" },
  { sql: 'SHOW TABLES' },
  { sql: 'DO 1' },
  { sql: 'SELECT id FROM t WHERE id = 1 FOR UPDATE' },
  { sql: 'REPLACE INTO t VALUES (2, 9, REPEAT("x", 200))' },
];

/** Without what differs from run to run. */
function comparable(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, field: unknown) =>
      ['durationMs', 'queueMs', 'requestId', 'retryAfterMs'].includes(key) ? undefined : field,
    ),
  );
}

test('statements that are sent at once answer and do what they do one by one', async () => {
  const anyTransaction = fc.array(fc.constantFrom(...STATEMENTS), { minLength: 1, maxLength: 5 });
  const calls = transactionCalls(broker.url, broker.keys.writer);
  const kinds = new Set<string>();
  for (const statements of fc.sample(anyTransaction, { seed: 7, numRuns: 60 })) {
    const id = await calls.begin();
    const results: unknown[] = [];
    let failure: unknown;
    for (const [index, { sql, ...rest }] of statements.entries()) {
      const reply = await calls.query(id, sql, 'params' in rest ? rest.params : undefined);
      const body = reply.json();
      if (reply.status !== 200) {
        failure = { status: reply.status, index, body };
        break;
      }
      results.push(body);
    }
    const expectation = statements.findIndex(
      (statement, index) =>
        'expect' in statement &&
        results[index] !== undefined &&
        Result.parse(results[index]).affectedRows !== statement.expect.affectedRows,
    );
    await calls.call(id, failure === undefined && expectation < 0 ? 'commit' : 'rollback');
    const afterOneByOne = await rows();
    await admin.query('DELETE FROM app.t');
    await admin.query("INSERT INTO app.t VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')");

    const atOnce = await send(statements);
    const shown = JSON.stringify(statements);
    if (expectation >= 0) {
      kinds.add('expectation');
      expect(errorOf(atOnce), shown).toMatchObject([
        409,
        { code: 'EXPECTATION_FAILED', outcome: 'not_applied', details: { index: expectation } },
      ]);
    } else if (failure === undefined) {
      kinds.add('success');
      expect(comparable(atOnce.json()), shown).toEqual({ results: comparable(results) });
    } else {
      kinds.add('failure');
      const { status, index, body } = failure as { status: number; index: number; body: object };
      const { error } = comparable(body) as { error: object };
      expect([atOnce.status, comparable(atOnce.json())], shown).toMatchObject([
        status,
        { error: { ...error, transaction: 'ended', outcome: 'not_applied', details: { index } } },
      ]);
    }
    expect(await rows(), shown).toEqual(afterOneByOne);
    await admin.query('DELETE FROM app.t');
    await admin.query("INSERT INTO app.t VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')");
  }
  expect([...kinds].sort()).toEqual(['expectation', 'failure', 'success']);
});

describe('of statements that are sent at once', () => {
  test('none behind a deadlock runs', async () => {
    const other = new DatabaseAdmin(database.server);
    await other.query('START TRANSACTION');
    // The server takes back the one that has changed less.
    const changed = Array.from({ length: 30 }, (_, index) => `(${100 + index}, 1, 'x')`);
    await other.query(`INSERT INTO app.t VALUES ${changed.join(', ')}`);
    await other.query('UPDATE app.t SET n = 0 WHERE id = 2');
    const reply = send([
      { sql: 'UPDATE t SET n = 5 WHERE id = 1' },
      { sql: 'UPDATE t SET n = 5 WHERE id = 2' },
      { sql: 'UPDATE t SET n = 5 WHERE id = 3' },
      { sql: 'INSERT INTO t VALUES (50, 1, NULL)' },
    ]);
    await expect
      .poll(
        async () =>
          await admin.query(
            "SELECT 1 FROM information_schema.processlist WHERE info LIKE '%SET n = 5 WHERE id = 2%' AND info NOT LIKE '%processlist%'",
          ),
      )
      .not.toEqual([]);
    await other.query('UPDATE app.t SET n = 0 WHERE id = 1');
    expect(errorOf(await reply)).toMatchObject([
      409,
      { code: 'DEADLOCK', outcome: 'not_applied', transaction: 'ended', details: { index: 1 } },
    ]);
    await other.query('ROLLBACK');
    await other.close();
    expect((await rows()).map(({ n }) => n)).toEqual([1, 2, 3]);
  });

  test('those behind a result that is not accepted are stopped', async () => {
    const slow = { sql: 'SELECT SLEEP(30)' };
    const insert = { sql: 'INSERT INTO t VALUES (60, 1, NULL)' };
    const unexpected = await send([insert, { sql: 'DELETE FROM t', expect: { affectedRows: 3 } }, slow]);
    expect(errorOf(unexpected)).toMatchObject([
      409,
      { code: 'EXPECTATION_FAILED', outcome: 'not_applied', transaction: 'ended', details: { index: 1 } },
    ]);
    const tooLarge = await send([insert, { sql: "SELECT REPEAT('x', 30000)" }, slow]);
    expect(errorOf(tooLarge)).toMatchObject([
      422,
      { code: 'RESULT_TOO_LARGE', outcome: 'not_applied', transaction: 'ended', details: { index: 1 } },
    ]);
    expect((await rows()).map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  test('the results share one limit on bytes', async () => {
    const half = { sql: "SELECT REPEAT('x', 9000)" };
    expect((await send([half, half])).status).toBe(200);
    expect(errorOf(await send([half, half, half]))).toMatchObject([
      422,
      { code: 'RESULT_TOO_LARGE', details: { index: 2 } },
    ]);
  });

  test('what one has left is there for the next, though that is not sent with it', async () => {
    await admin.query('CREATE PROCEDURE app.counted() SELECT ROW_COUNT()');
    const statements = [{ sql: 'UPDATE t SET n = n + 1' }, { sql: 'CALL counted()' }];
    const results = [{ affectedRows: 3 }, { rows: [['3']] }];
    expect((await send(statements)).json()).toMatchObject({ results });
    const behindAnother = [{ sql: 'DO 1' }, ...statements];
    expect((await send(behindAnother)).json()).toMatchObject({ results: [{}, ...results] });
  });

  test('a deadline of one of them is its own', async () => {
    const reply = await send([
      { sql: 'INSERT INTO t VALUES (70, 1, NULL)' },
      { sql: 'SELECT SLEEP(30)', timeoutMs: 50 },
      { sql: 'INSERT INTO t VALUES (71, 1, NULL)' },
    ]);
    expect(errorOf(reply)).toMatchObject([504, { code: 'DEADLINE_EXCEEDED', details: { index: 1 } }]);
    expect((await rows()).map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  test('all or none is done, whichever of them is killed', async () => {
    const delaysMs = fc.sample(fc.double({ min: 0, max: 15, noNaN: true }), { seed: 3, numRuns: 500 });
    let failed = 0;
    for (const [round, delayMs] of delaysMs.entries()) {
      if (failed === 10) break;
      const threads = await admin.query('SELECT id FROM information_schema.processlist WHERE user = ?', [
        database.app.user,
      ]);
      const ids = [1_000, 2_000, 3_000, 4_000].map((base) => base + round);
      const reply = send(
        ids.flatMap((id) => [
          { sql: 'INSERT INTO t VALUES (?, 1, NULL)', params: [id] },
          { sql: 'SELECT SLEEP(0.002)' },
        ]),
      );
      await new Promise((resolve) => {
        setTimeout(resolve, delayMs);
      });
      for (const { id } of threads) await admin.query(`KILL QUERY ${String(id)}`).catch(() => undefined);
      const { status } = await reply;
      const found = await admin.query(`SELECT id FROM app.t WHERE id IN (${ids.join(', ')})`);
      expect(found.length, `round ${round}, status ${status}`).toBe(status === 200 ? 4 : 0);
      if (status !== 200) failed += 1;
    }
    expect(failed).toBe(10);
    expect((await broker.query('SELECT COUNT(*) FROM t')).rows).toHaveLength(1);
  });
});

test('a batch of many sets is done in order, or not at all', async () => {
  const sets = Array.from({ length: 900 }, (_, index) => [10_000 + index, 'y'.repeat(1_000)]);
  const batch = async (paramSets: unknown) =>
    await broker.post('/v1/databases/default/batch', { sql: 'INSERT INTO t VALUES (?, 1, ?)', paramSets });
  expect((await batch(sets)).status).toBe(200);
  expect(await admin.query('SELECT COUNT(*) AS n FROM app.t')).toEqual([{ n: 903 }]);
  const twice = [...sets.map(([id = 0, text]) => [Number(id) + 10_000, text]), [10_000, 'again']];
  expect(errorOf(await batch(twice))).toMatchObject([
    409,
    { code: 'DUPLICATE_KEY', outcome: 'not_applied', details: { index: 900 } },
  ]);
  expect(await admin.query('SELECT COUNT(*) AS n FROM app.t')).toEqual([{ n: 903 }]);
});

test('of a batch of long texts only a few are made at a time', async () => {
  const sql = `INSERT INTO t VALUES (?, 1, NULL) /* ${'x'.repeat(1_000_000)} */`;
  const paramSets = Array.from({ length: 300 }, (_, index) => [50_000 + index]);
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 5);
  const { status } = await broker.post('/v1/databases/default/batch', { sql, paramSets });
  clearInterval(watch);
  expect(status).toBe(200);
  // All of them would take 300 MB.
  expect(most - before).toBeLessThan(200_000_000);
});
