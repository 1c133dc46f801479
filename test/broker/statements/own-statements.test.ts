import { beforeAll, describe, expect, test } from 'vitest';
import { http } from '../../support/http.ts';
import { openStream } from '../../support/stream.ts';
import { errorOf, transactionCalls } from '../../support/transactions.ts';
import { useBroker } from '../../support/use-broker.ts';
import { useAccounts } from '../support/accounts.ts';

// The broker's own statements stand between a caller's: these tests try to make one of both see the other.

const { database, broker } = await useBroker({
  databases: { default: { idempotency: {}, limits: { queryTimeoutMs: 20_000 } } },
});
const { begin, query, call } = transactionCalls(broker.url, broker.keys.writer);
const balances = useAccounts(database);
const isMysql = database.server.flavour === 'mysql';

beforeAll(async () => {
  const { admin } = database;
  await admin.query('CREATE TABLE app.records (value VARCHAR(200))');
  await admin.query('CREATE PROCEDURE app.nop() BEGIN END');
  await admin.query('CREATE PROCEDURE app.rec(value VARCHAR(200)) INSERT INTO app.records VALUES (value)');
  await admin.query('CREATE PROCEDURE app.rec_rows() INSERT INTO app.records VALUES (ROW_COUNT())');
  await admin.query(
    "CREATE PROCEDURE app.fails() BEGIN UPDATE app.accounts SET balance = 5 WHERE id > 0; SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31234; END",
  );
  await admin.query(
    'CREATE PROCEDURE app.uses_temporary() BEGIN CREATE TEMPORARY TABLE app.scratch (n INT); DROP TEMPORARY TABLE app.scratch; END',
  );
  await admin.query(
    'CREATE PROCEDURE app.commits_and_scratches() BEGIN COMMIT; START TRANSACTION; CREATE TEMPORARY TABLE app.scratch2 (n INT); END',
  );
  await admin.query('CREATE PROCEDURE app.commits() BEGIN COMMIT; START TRANSACTION; END');
});

/** Runs statements that must go well. The rows of the last. */
async function run(id: string, ...statements: readonly string[]): Promise<readonly unknown[]> {
  let rows: unknown[] = [];
  for (const sql of statements) {
    const reply = await query(id, sql);
    expect([reply.status, sql, reply.text.slice(0, 300)]).toMatchObject([200, sql, expect.anything()]);
    ({ rows } = reply.json() as { rows: unknown[] });
  }
  return rows;
}

const numbers = (rows: readonly unknown[]) => rows.map((row) => (row as unknown[]).map(Number));
const recorded = async () =>
  (await database.admin.query('SELECT value FROM app.records')).map((row) => row.value);

describe('limits of the session that a caller sets do not blind the broker:', () => {
  const LIMITS = [
    ...['sql_select_limit = 0', 'sql_select_limit = 1', 'max_join_size = 1, sql_big_selects = 0'],
    ...['big_tables = 1', 'sql_safe_updates = 1', 'group_concat_max_len = 4', "lc_messages = 'fr_FR'"],
    ...['net_write_timeout = 1', 'tmp_table_size = 1024, max_heap_table_size = 16384', 'timestamp = 1'],
    ...[
      'insert_id = 5',
      "time_zone = '+09:00'",
      'sql_notes = 0',

      'lock_wait_timeout = 1',
    ],
    ...['sql_auto_is_null = 1', 'sql_quote_show_create = 0', 'div_precision_increment = 0'],
    // An ordinary account may not on MySQL.
    ...(isMysql ? [] : ['max_error_count = 0', 'low_priority_updates = 1']),
    isMysql ? 'max_execution_time = 1' : 'max_statement_time = 2',
  ];

  test.each(LIMITS)('%s', async (limit) => {
    const id = await begin();
    await run(
      id,
      `SET SESSION ${limit}`,
      'UPDATE accounts SET balance = 7 WHERE id = 1',
      'CALL nop()',
      'CALL uses_temporary()',
    );
    expect(errorOf(await query(id, 'INSERT INTO accounts VALUES (1, 1)'))).toMatchObject([
      409,
      { code: 'DUPLICATE_KEY', transaction: 'open' },
    ]);
    expect(errorOf(await query(id, 'CALL fails()'))).toMatchObject([400, { transaction: 'open' }]);
    await run(id, 'UPDATE accounts SET balance = 8 WHERE id = 1');
    expect((await call(id, 'commit')).status).toBe(200);
    expect(await balances()).toEqual([8, 5]);
  });

  test.each(LIMITS)('%s, nor make it miss an end', async (limit) => {
    for (const procedure of ['commits', 'commits_and_scratches']) {
      const id = await begin();
      await run(id, `SET SESSION ${limit}`, 'UPDATE accounts SET balance = balance + 1 WHERE id = 1');
      expect(errorOf(await query(id, `CALL ${procedure}()`))).toMatchObject([
        410,
        { code: 'TRANSACTION_ENDED', reason: 'implicit_commit', outcome: 'applied' },
      ]);
      expect(errorOf(await call(id, 'commit'))).toMatchObject([410, { outcome: 'applied' }]);
    }
    expect(await balances()).toEqual([102, 100]);
  });

  test('and what it lifts for a question is put back', async () => {
    const id = await begin();
    const values = isMysql
      ? 'SELECT @@sql_select_limit, @@max_join_size, @@sql_big_selects, @@max_execution_time LIMIT 1'
      : 'SELECT @@sql_select_limit, @@max_join_size, @@sql_big_selects, @@max_statement_time LIMIT 1';
    await run(id, 'SET SESSION sql_select_limit = 3, max_join_size = 1000, sql_big_selects = 0');
    const before = await run(id, values);
    await run(id, 'CALL uses_temporary()');
    expect(await run(id, values)).toEqual(before);
    await call(id, 'rollback');
  });
});

describe('the last statement of a caller stays the last:', () => {
  const UPDATE = 'UPDATE accounts SET balance = balance + 1';

  test.each([
    ['what a CALL is given', 'CALL rec(ROW_COUNT())', '2'],
    ['what a procedure reads', 'CALL rec_rows()', '2'],
    ['what an executable comment holds', 'INSERT INTO records /*!50000 VALUES (ROW_COUNT()) */', '2'],
  ])('%s', async (_, sql, expected) => {
    await database.admin.query('DELETE FROM app.records');
    const id = await begin();
    await run(id, UPDATE, sql);
    await call(id, 'commit');
    expect(await recorded()).toEqual([expected]);
  });

  test('what is executed', async () => {
    const id = await begin();
    await run(id, "PREPARE asks FROM 'SELECT ROW_COUNT()'", UPDATE);
    expect(numbers(await run(id, 'EXECUTE asks'))).toEqual([[2]]);
    await call(id, 'rollback');
  });

  test('ROW_COUNT() and FOUND_ROWS() behind a CALL, a set of rows, a failure', async () => {
    const id = await begin();
    await run(id, 'SELECT * FROM accounts', UPDATE);
    expect(numbers(await run(id, 'SELECT ROW_COUNT(), FOUND_ROWS()'))).toEqual([[2, 2]]);
    expect((await query(id, 'INSERT INTO accounts VALUES (1, 1)')).status).toBe(409);
    expect(numbers(await run(id, 'SELECT ROW_COUNT()'))).toEqual([[-1]]);
    await run(id, 'SELECT SQL_CALC_FOUND_ROWS * FROM accounts LIMIT 1');
    expect((await query(id, 'CALL fails()')).status).toBe(400);
    expect(numbers(await run(id, 'SELECT ROW_COUNT()'))).toEqual([[-1]]);
    await call(id, 'rollback');
  });

  test.each([
    ['a statement', 'INSERT INTO accounts VALUES (1, 1)', 1062],
    ['a procedure', 'CALL fails()', 31_234],
    ['a deadline', 'UPDATE accounts SET balance = 9 + SLEEP(9)', 1317],
  ])('what went wrong with %s', async (_, sql, errno) => {
    const id = await begin();
    const body = { sql, ...(errno === 1317 ? { timeoutMs: 200 } : {}) };
    const failed = await broker.post(`/v1/transactions/${id}/query`, body);
    expect(errorOf(failed)).toMatchObject([expect.any(Number), { transaction: 'open' }]);
    const shown = await run(id, 'SHOW WARNINGS');
    expect(shown[0]).toMatchObject(['Error', expect.anything(), expect.any(String)]);
    expect(Number((shown[0] as unknown[])[1])).toBe(errno);
    await run(id, 'GET DIAGNOSTICS CONDITION 1 @errno = MYSQL_ERRNO');
    expect(numbers(await run(id, 'SELECT @@error_count'))).toEqual([[1]]);
    expect(numbers(await run(id, 'SELECT @errno'))).toEqual([[errno]]);
    await call(id, 'rollback');
  });

  test('rows and warnings of a stream', async () => {
    const id = await begin();
    const stream = async (sql: string) =>
      await (await openStream(`${broker.url}/v1/transactions/${id}/query`, broker.headers(), { sql })).rest();
    await stream("SELECT id, CAST('1x' AS SIGNED) FROM accounts");
    expect((await run(id, 'SHOW WARNINGS')).length).toBe(2);
    await stream('SELECT id FROM accounts');
    expect(numbers(await run(id, 'SELECT FOUND_ROWS(), ROW_COUNT()'))).toEqual([[2, -1]]);
    await stream('SELECT id FROM accounts');
    await database.admin.query('DELETE FROM app.records');
    await run(id, 'CALL rec(FOUND_ROWS())');
    await call(id, 'commit');
    expect(await recorded()).toEqual(['2']);
  });

  test('a batch leaves its last set, and one set finds what was before it', async () => {
    await database.admin.query('DELETE FROM app.records');
    const id = await begin();
    await run(id, UPDATE);
    const one = await call(id, 'batch', {
      sql: 'INSERT INTO records SELECT ROW_COUNT() + ?',
      paramSets: [[0]],
    });
    expect(one.status).toBe(200);
    const sets = {
      sql: 'UPDATE accounts SET balance = ? WHERE id <= ?',
      paramSets: [
        [1, 1],
        [2, 2],
      ],
    };
    expect((await call(id, 'batch', sets)).status).toBe(200);
    expect(numbers(await run(id, 'SELECT ROW_COUNT()'))).toEqual([[2]]);
    await call(id, 'commit');
    expect(await recorded()).toEqual(['2']);
  });

  test('what a batch cannot know is refused, and so is what a failed one has left', async () => {
    const id = await begin();
    await run(id, UPDATE);
    const sets = { sql: 'INSERT INTO records SELECT ROW_COUNT() + ?', paramSets: [[1], [2]] };
    expect(errorOf(await call(id, 'batch', sets))).toMatchObject([
      400,
      { code: 'STATEMENT_NOT_ALLOWED', transaction: 'open', details: { index: 0 } },
    ]);
    const failing = { sql: 'INSERT INTO accounts VALUES (?, 1)', paramSets: [[3], [1]] };
    for (const asks of [
      'SELECT ROW_COUNT()',
      'select found_rows ( )',
      'SHOW WARNINGS',
      'SHOW /**/ COUNT(*) ERRORS',
      'SHOW ERRORS LIMIT 1',
      'GET DIAGNOSTICS @n = NUMBER',
      'SELECT @@warning_count',
      'SELECT @@SESSION . `error_count`',
      'CALL rec(ROW_COUNT())',
      "PREPARE asks FROM 'SELECT ROW_COUNT()'",
    ]) {
      expect(errorOf(await call(id, 'batch', failing))).toMatchObject([409, { transaction: 'open' }]);
      expect(errorOf(await query(id, asks)), asks).toMatchObject([
        400,
        {
          code: 'STATEMENT_NOT_ALLOWED',
          message: expect.stringContaining('ROW_COUNT()'),
          transaction: 'open',
        },
      ]);
    }
    expect(numbers(await run(id, UPDATE, 'SELECT ROW_COUNT()'))).toEqual([[2]]);
    await call(id, 'rollback');
  });

  test('the row of an idempotency key is not seen', async () => {
    const send = async (sql: string, key: string) =>
      await http(broker.queryUrl(), {
        headers: { ...broker.headers(), 'idempotency-key': key },
        body: JSON.stringify({ sql }),
      });
    expect(errorOf(await send('INSERT INTO records SELECT ROW_COUNT()', 'sees'))).toMatchObject([
      400,
      { code: 'STATEMENT_NOT_ALLOWED' },
    ]);
    expect((await send('INSERT INTO records SELECT 1', 'does-not')).status).toBe(200);
  });
});

describe('savepoints of a caller', () => {
  test('outlast a batch, whatever their names', async () => {
    const id = await begin();
    const sets = {
      sql: 'UPDATE accounts SET balance = ? WHERE id = ?',
      paramSets: [
        [3, 1],
        [4, 2],
      ],
    };
    const failing = { sql: 'INSERT INTO accounts VALUES (?, 1)', paramSets: [[3], [1]] };
    await run(
      id,
      'UPDATE accounts SET balance = 1 WHERE id = 1',
      'SAVEPOINT _broker_whole',
      'SAVEPOINT outer_one',
    );
    expect((await call(id, 'batch', sets)).status).toBe(200);
    await run(id, 'SAVEPOINT `_broker_1`');
    expect((await call(id, 'batch', failing)).status).toBe(409);
    await run(id, 'UPDATE accounts SET balance = 9 WHERE id = 2', 'ROLLBACK TO `_broker_1`');
    expect(numbers(await run(id, 'SELECT balance FROM accounts ORDER BY id'))).toEqual([[3], [4]]);
    await run(id, 'ROLLBACK TO outer_one', 'RELEASE SAVEPOINT outer_one', 'ROLLBACK TO _broker_whole');
    await call(id, 'commit');
    expect(await balances()).toEqual([1, 100]);
  });

  test('that a failing batch has gone behind end the transaction: it cannot be whole any more', async () => {
    await database.admin.query('DROP PROCEDURE IF EXISTS app.goes_back');
    await database.admin.query(
      "CREATE PROCEDURE app.goes_back(n INT) BEGIN ROLLBACK TO early; IF n = 2 THEN SIGNAL SQLSTATE '45000'; END IF; END",
    );
    const id = await begin();
    await run(id, 'SAVEPOINT early', 'UPDATE accounts SET balance = 1');
    const failed = await call(id, 'batch', { sql: 'CALL goes_back(?)', paramSets: [[1], [2]] });
    expect(errorOf(failed)).toMatchObject([
      410,
      { code: 'TRANSACTION_ENDED', reason: 'rolled_back', outcome: 'not_applied', transaction: 'ended' },
    ]);
    expect(errorOf(await call(id, 'commit'))).toMatchObject([410, { outcome: 'not_applied' }]);
    expect(await balances()).toEqual([100, 100]);
  });
});
