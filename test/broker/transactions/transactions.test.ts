import { describe, expect, test } from 'vitest';
import { eventually } from '../../support/http.ts';
import { errorOf, transactionCalls } from '../../support/transactions.ts';
import { useBroker } from '../../support/use-broker.ts';
import { useAccounts } from '../support/accounts.ts';

const { database, broker } = await useBroker({
  databases: {
    default: { transactions: { maxOpen: 3 } },
    hasty: { transactions: { idleTimeoutMs: 300, lifetimeMs: 1_500 } },
  },
});
const { begin, query: run, call } = transactionCalls(broker.url, broker.keys.writer);

const balances = useAccounts(database);

describe('an interactive transaction', () => {
  test('keeps what it does to itself until it is committed', async () => {
    const id = await begin();
    await run(id, 'UPDATE accounts SET balance = balance - ? WHERE id = 1', [30]);
    const inside = await run(id, 'SELECT balance FROM accounts WHERE id = 1');
    expect([inside.json(), await balances()]).toMatchObject([{ rows: [[70]] }, [100, 100]]);
    expect((await call(id, 'commit')).json()).toEqual({ status: 'committed' });
    expect(await balances()).toEqual([70, 100]);
  });

  test('answers the same end again as the first time, and another end with the reason', async () => {
    const id = await begin();
    await call(id, 'commit');
    expect((await call(id, 'commit')).status).toBe(200);
    expect(errorOf(await call(id, 'rollback'))).toMatchObject([
      410,
      { code: 'TRANSACTION_ENDED', reason: 'committed', transaction: 'ended', retryable: false },
    ]);
    expect(errorOf(await run(id, 'SELECT 1'))).toMatchObject([410, { reason: 'committed' }]);
  });

  test('takes everything back when it is rolled back, and a late commit is no success', async () => {
    const id = await begin();
    await run(id, 'DELETE FROM accounts');
    expect((await call(id, 'rollback')).json()).toEqual({ status: 'rolled_back' });
    expect(await balances()).toEqual([100, 100]);
    expect((await call(id, 'rollback')).status).toBe(200);
    expect(errorOf(await call(id, 'commit'))).toMatchObject([410, { reason: 'rolled_back' }]);
  });

  test('is nobody else’s', async () => {
    const id = await begin();
    const foreigner = transactionCalls(broker.url, broker.keys.admin);
    expect(errorOf(await foreigner.call(id, 'commit'))).toMatchObject([
      404,
      { code: 'TRANSACTION_NOT_FOUND' },
    ]);
    await call(id, 'rollback');
  });

  test('is not looked for elsewhere if the broker is the only one', async () => {
    const foreign = `${'a'.repeat(16)}.${'b'.repeat(32)}`;
    expect(errorOf(await call(foreign, 'commit'))).toMatchObject([404, { code: 'TRANSACTION_NOT_FOUND' }]);
  });

  test('runs its statements one at a time in the order of their arrival', async () => {
    const id = await begin();
    const replies = await Promise.all(
      Array.from({ length: 10 }, async () => await run(id, 'UPDATE accounts SET balance = balance + 1')),
    );
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    const reply = await run(id, 'SELECT balance FROM accounts WHERE id = 1');
    expect(reply.json()).toMatchObject({ rows: [[110]] });
    await call(id, 'rollback');
  });

  test('goes on after a statement that fails', async () => {
    const id = await begin();
    await run(id, 'UPDATE accounts SET balance = 1 WHERE id = 1');
    expect(errorOf(await run(id, 'INSERT INTO accounts VALUES (1, 0)'))).toMatchObject([
      409,
      { code: 'DUPLICATE_KEY', transaction: 'open', outcome: 'not_applied' },
    ]);
    expect(errorOf(await run(id, 'COMMIT'))).toMatchObject([
      400,
      { code: 'STATEMENT_NOT_ALLOWED', transaction: 'open' },
    ]);
    await call(id, 'commit');
    expect(await balances()).toEqual([1, 100]);
  });

  test('is refused above maxOpen, and lets another one in when one has ended', async () => {
    const reader = transactionCalls(broker.url, broker.keys.reader);
    const [ids, other] = [[await begin(), await begin()], await reader.begin()];
    expect(errorOf(await broker.post('/v1/databases/default/transactions', {}))).toMatchObject([
      429,
      { code: 'TOO_MANY_TRANSACTIONS', retryable: true, limit: { name: 'maxOpen', max: 3, actual: 4 } },
    ]);
    await reader.call(other, 'rollback');
    await Promise.all(ids.map(async (id) => await call(id, 'rollback')));
    await call(await begin(), 'rollback');
  });

  test('that lies idle is rolled back, and its locks are free', async () => {
    const id = await begin({}, 'hasty');
    await run(id, 'UPDATE accounts SET balance = 0 WHERE id = 1');
    const reply = await broker.post('/v1/databases/default/query', {
      sql: 'UPDATE accounts SET balance = balance + 5 WHERE id = 1',
    });
    expect(reply.status).toBe(200);
    expect(errorOf(await run(id, 'SELECT 1'))).toMatchObject([410, { reason: 'idle' }]);
    expect((await call(id, 'rollback')).status).toBe(200);
    expect(await balances()).toEqual([105, 100]);
  });

  test('that lives too long is cut off in the middle of a statement', async () => {
    const id = await begin({}, 'hasty');
    expect(errorOf(await run(id, 'SELECT SLEEP(30)'))).toMatchObject([
      410,
      { reason: 'lifetime', transaction: 'ended', outcome: 'not_applied' },
    ]);
  });

  test('[74] ends with its connection', async () => {
    const id = await begin();
    const thread = (await run(id, 'SELECT CONNECTION_ID()')).json() as { rows: [[string | number]] };
    await database.admin.query(`KILL ${thread.rows[0][0]}`);
    await eventually(
      async () => await run(id, 'SELECT 1'),
      (reply) => reply.status === 410,
    );
    expect(errorOf(await call(id, 'commit'))).toMatchObject([410, { reason: 'connection_lost' }]);
    expect((await call(id, 'rollback')).status).toBe(200);
  });

  test('of a reader can write nothing, nor one that asked for it', async () => {
    const reader = transactionCalls(broker.url, broker.keys.reader);
    const writer = { begin, query: run, call };
    for (const [caller, body] of [
      [reader, {}],
      [writer, { readOnly: true }],
    ] as const) {
      const id = await caller.begin(body);
      expect(errorOf(await caller.query(id, 'DELETE FROM accounts'))).toMatchObject([
        400,
        { code: 'READ_ONLY_VIOLATION', transaction: 'open' },
      ]);
      expect((await caller.call(id, 'commit')).status).toBe(200);
    }
  });

  test('has the isolation that it asked for', async () => {
    const id = await begin({ isolation: 'read committed' });
    const read = async () => (await run(id, 'SELECT balance FROM accounts WHERE id = 1')).json();
    expect(await read()).toMatchObject({ rows: [[100]] });
    await database.admin.query('UPDATE app.accounts SET balance = 55 WHERE id = 1');
    expect(await read()).toMatchObject({ rows: [[55]] });
    await call(id, 'rollback');
  });

  test('runs a batch whole or not at all', async () => {
    const id = await begin();
    const failed = await call(id, 'batch', {
      sql: 'INSERT INTO accounts VALUES (?, ?)',
      paramSets: [
        [3, 1],
        [4, 1],
        [3, 1],
      ],
    });
    expect(errorOf(failed)).toMatchObject([
      409,
      { code: 'DUPLICATE_KEY', transaction: 'open', details: { index: 2 } },
    ]);
    expect((await run(id, 'SELECT COUNT(*) FROM accounts')).json()).toMatchObject({ rows: [['2']] });
    await call(id, 'rollback');
  });

  test('that two block for each other ends for one of them, who may begin again', async () => {
    const [one, two] = [await begin(), await begin()];
    await run(one, 'UPDATE accounts SET balance = 1 WHERE id = 1');
    await run(two, 'UPDATE accounts SET balance = 2 WHERE id = 2');
    const replies = await Promise.all([
      run(one, 'UPDATE accounts SET balance = 1 WHERE id = 2'),
      run(two, 'UPDATE accounts SET balance = 2 WHERE id = 1'),
    ]);
    const failed = replies.filter(({ status }) => status !== 200);
    expect(failed.map(errorOf)).toMatchObject([
      [409, { code: 'DEADLOCK', retryable: true, transaction: 'ended', outcome: 'not_applied' }],
    ]);
    const loser = replies[0].status === 200 ? two : one;
    expect(errorOf(await run(loser, 'SELECT 1'))).toMatchObject([410, { reason: 'deadlock' }]);
    for (const id of [one, two]) await call(id, 'rollback');
  });
});
