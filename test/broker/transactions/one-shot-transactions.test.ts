import { describe, expect, test } from 'vitest';
import { http } from '../../support/http.ts';
import { errorOf } from '../../support/transactions.ts';
import { useBroker } from '../../support/use-broker.ts';
import { useAccounts } from '../support/accounts.ts';

const { database, broker } = await useBroker();

const balances = useAccounts(database);

describe('a transaction that is sent whole', () => {
  const transfer = (expected: number) => ({
    statements: [
      { sql: 'UPDATE accounts SET balance = balance - 10 WHERE id = ?', params: [1] },
      { sql: 'UPDATE accounts SET balance = balance + 10 WHERE id = 2', expect: { affectedRows: expected } },
    ],
  });

  test('is done as a whole', async () => {
    const reply = await broker.post('/v1/databases/default/transaction', transfer(1));
    expect([reply.status, reply.json()]).toMatchObject([200, { results: [{ affectedRows: 1 }, {}] }]);
    expect(await balances()).toEqual([90, 110]);
  });

  test('that does not do what it expects is rolled back', async () => {
    const reply = await broker.post('/v1/databases/default/transaction', transfer(2));
    expect(errorOf(reply)).toMatchObject([
      409,
      {
        code: 'EXPECTATION_FAILED',
        outcome: 'not_applied',
        retryable: false,
        details: { index: 1, expected: 2, actual: 1 },
      },
    ]);
    expect(await balances()).toEqual([100, 100]);
  });

  test('is over when a statement of it fails', async () => {
    const reply = await broker.post('/v1/databases/default/transaction', {
      statements: [{ sql: 'DELETE FROM accounts' }, { sql: 'SELECT nothing' }],
    });
    expect(errorOf(reply)).toMatchObject([400, { code: 'SQL_ERROR', transaction: 'ended' }]);
    expect(await balances()).toEqual([100, 100]);
  });

  test('is answered past its deadline before it is taken back, which may take long', async () => {
    const [before] = await database.admin.query("SHOW GLOBAL STATUS LIKE 'Com_rollback'");
    const { status } = await http(`${broker.url}/v1/databases/default/transaction`, {
      headers: { ...broker.headers(), 'x-timeout-ms': '300' },
      body: JSON.stringify({ statements: [{ sql: 'DELETE FROM accounts' }, { sql: 'SELECT SLEEP(30)' }] }),
    });
    const [after] = await database.admin.query("SHOW GLOBAL STATUS LIKE 'Com_rollback'");
    expect([status, after]).toEqual([504, before]);
    // It waits for the lock.
    await database.admin.query('UPDATE app.accounts SET balance = balance + 1');
    expect(await balances()).toEqual([101, 101]);
  });

  test('names the statement that may not run, and runs none', async () => {
    const reply = await broker.post('/v1/databases/default/transaction', {
      statements: [{ sql: 'DELETE FROM accounts' }, { sql: 'DROP TABLE accounts' }],
    });
    expect(errorOf(reply)).toMatchObject([400, { code: 'STATEMENT_NOT_ALLOWED', details: { index: 1 } }]);
    expect(await balances()).toEqual([100, 100]);
  });
});

test('a batch that fails has done nothing', async () => {
  const sql = 'INSERT INTO accounts VALUES (:id, 1)';
  const good = await broker.post('/v1/databases/default/batch', { sql, paramSets: [{ id: 3 }, { id: 4 }] });
  expect(good.json()).toEqual({
    results: [
      { affectedRows: 1, changedRows: 0, insertId: null },
      { affectedRows: 1, changedRows: 0, insertId: null },
    ],
  });
  const bad = await broker.post('/v1/databases/default/batch', { sql, paramSets: [{ id: 5 }, { id: 4 }] });
  expect(errorOf(bad)).toMatchObject([409, { code: 'DUPLICATE_KEY', details: { index: 1 } }]);
  const rows = await database.admin.query('SELECT COUNT(*) AS n FROM app.accounts');
  await database.admin.query('DELETE FROM app.accounts WHERE id > 2');
  expect(String(rows[0]?.n)).toBe('4');
});
