import { describe, expect, test } from 'vitest';
import { errorOf, transactionCalls } from '../../support/transactions.ts';
import { useBroker } from '../../support/use-broker.ts';
import { useAccounts } from '../support/accounts.ts';

const { database, broker } = await useBroker({
  databases: { hasty: { transactions: { lifetimeMs: 500 } } },
});
const { begin, query: run, call } = transactionCalls(broker.url, broker.keys.writer);

const balances = useAccounts(database);

describe('a transaction', () => {
  test.each([
    [
      'implicit_commit',
      'applied',
      'TRUNCATE TABLE app.scratch; SET autocommit = 0; INSERT INTO app.scratch VALUES (1)',
    ],
    ['implicit_commit', 'unknown', 'COMMIT; START TRANSACTION; ROLLBACK; START TRANSACTION'],
    ['rolled_back', 'not_applied', 'ROLLBACK'],
    ['rolled_back', 'unknown', 'ROLLBACK; INSERT INTO app.scratch VALUES (1)'],
    ['implicit_commit', 'unknown', 'ROLLBACK; START TRANSACTION'],
    ['implicit_commit', 'unknown', 'ROLLBACK AND CHAIN'],
    ['implicit_commit', 'unknown', 'START TRANSACTION; ROLLBACK'],
    ['implicit_commit', 'unknown', 'TRUNCATE TABLE app.scratch; ROLLBACK'],
    ['implicit_commit', 'applied', 'COMMIT AND CHAIN'],
    ['implicit_commit', 'applied', 'START TRANSACTION'],
    ['implicit_commit', 'applied', 'TRUNCATE TABLE app.scratch; START TRANSACTION'],
    ['implicit_commit', 'unknown', "COMMIT; XA START 'x'; XA END 'x'; XA ROLLBACK 'x'; ROLLBACK"],
    ['implicit_commit', 'unknown', 'SET autocommit = 0; SET autocommit = 1'],
    ['rolled_back', 'not_applied', 'SET autocommit = 0'],
    ['implicit_commit', 'unknown', 'FLUSH STATUS; START TRANSACTION'],
    ['implicit_commit', 'unknown', 'FLUSH STATUS; START TRANSACTION; ROLLBACK'],
    ['implicit_commit', 'unknown', "SET session_track_transaction_info = 'OFF'; COMMIT; START TRANSACTION"],
  ])('that a procedure ends is found out: %s, %s, by %s', async (reason, outcome, body) => {
    await database.admin.query('CREATE TABLE IF NOT EXISTS app.scratch (n INT)');
    await database.admin.query('DROP PROCEDURE IF EXISTS app.ends');
    await database.admin.query(`CREATE PROCEDURE app.ends() BEGIN ${body}; END`);
    const id = await begin();
    expect(errorOf(await run(id, 'CALL ends()'))).toMatchObject([
      410,
      { code: 'TRANSACTION_ENDED', reason, outcome, transaction: 'ended' },
    ]);
    expect(errorOf(await run(id, 'SELECT 1'))).toMatchObject([410, { reason }]);
    expect(errorOf(await call(id, 'commit'))).toMatchObject([410, { reason, outcome }]);
    const rollback = await call(id, 'rollback');
    if (reason === 'rolled_back') expect(rollback.json()).toEqual({ status: 'rolled_back' });
    else expect(errorOf(rollback)).toMatchObject([410, { reason, outcome }]);
  });

  test('that is rolled back behind a statement is not said to be applied, in one request either', async () => {
    await database.admin.query('CREATE PROCEDURE app.begins_anew() BEGIN ROLLBACK; START TRANSACTION; END');
    const statements = ['UPDATE accounts SET balance = 1', 'CALL begins_anew()'].map((sql) => ({ sql }));
    expect(errorOf(await broker.post('/v1/databases/default/transaction', { statements }))).toMatchObject([
      410,
      { code: 'TRANSACTION_ENDED', outcome: 'unknown', details: { index: 1 } },
    ]);
    const batch = { sql: 'CALL begins_anew()', paramSets: [[]] };
    expect(errorOf(await broker.post('/v1/databases/default/batch', batch))).toMatchObject([
      410,
      { outcome: 'unknown', details: { index: 0 } },
    ]);
    expect(await balances()).toEqual([100, 100]);
  });

  test('is not committed for certain where a procedure has kept the server from telling of its end', async () => {
    await database.admin.query(
      `CREATE PROCEDURE app.hides() BEGIN SET SESSION session_track_system_variables = '';
         SET SESSION session_track_transaction_info = 'OFF'; ROLLBACK; START TRANSACTION; END`,
    );
    const id = await begin();
    await run(id, 'UPDATE accounts SET balance = 1');
    await run(id, 'CALL hides()');
    expect(errorOf(await call(id, 'commit'))).toMatchObject([expect.any(Number), { outcome: 'unknown' }]);
    expect(await balances()).toEqual([100, 100]);
  });

  test('ends when what a procedure has prepared changes how values are read', async () => {
    await database.admin.query(
      `CREATE PROCEDURE app.prepares() PREPARE trap FROM "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'"`,
    );
    const id = await begin();
    expect((await run(id, 'CALL prepares()')).status).toBe(200);
    expect(errorOf(await run(id, 'EXECUTE trap'))).toMatchObject([410, { reason: 'rolled_back' }]);
  });

  test('keeps its connection, whatever a procedure says of its completion', async () => {
    await database.admin.query("CREATE PROCEDURE app.completes() SET SESSION completion_type = 'RELEASE'");
    const lost: string[] = [];
    broker.broker.pools.get('default').pool.events.on('close', ({ reason }) => lost.push(reason));
    const id = await begin();
    expect((await run(id, 'CALL completes()')).status).toBe(200);
    expect((await call(id, 'commit')).json()).toEqual({ status: 'committed' });
    await call(await begin(), 'rollback');
    expect(lost).toEqual([]);
  });

  test('that a procedure commits has ended, and says so', async () => {
    await database.admin.query(
      'CREATE PROCEDURE app.commits() BEGIN UPDATE app.accounts SET balance = 7 WHERE id = 1; COMMIT; START TRANSACTION; END',
    );
    const id = await begin();
    expect(errorOf(await run(id, 'CALL commits()'))).toMatchObject([
      410,
      { code: 'TRANSACTION_ENDED', reason: 'implicit_commit', outcome: 'applied', transaction: 'ended' },
    ]);
    expect(errorOf(await call(id, 'commit'))).toMatchObject([410, { reason: 'implicit_commit' }]);
    expect(errorOf(await call(id, 'rollback'))).toMatchObject([410, { reason: 'implicit_commit' }]);
    expect(await balances()).toEqual([7, 100]);
  });

  test.each([
    ['meets a deadlock', '', 409, { code: 'DEADLOCK', outcome: 'not_applied', retryable: true }, 'deadlock'],
    [
      'begins again after a deadlock',
      'DECLARE CONTINUE HANDLER FOR 1213 START TRANSACTION',
      410,
      { code: 'TRANSACTION_ENDED', outcome: 'unknown' },
      'implicit_commit',
    ],
    [
      'commits after a deadlock',
      'DECLARE CONTINUE HANDLER FOR 1213 COMMIT',
      410,
      { code: 'TRANSACTION_ENDED', outcome: 'unknown' },
      'implicit_commit',
    ],
    [
      'does more after a deadlock, and fails with it',
      'DECLARE EXIT HANDLER FOR 1213 BEGIN INSERT INTO app.scratch VALUES (1); RESIGNAL; END',
      409,
      { code: 'DEADLOCK', outcome: 'unknown' },
      'implicit_commit',
    ],
    [
      'goes on after a deadlock',
      'DECLARE CONTINUE HANDLER FOR 1213 BEGIN END',
      410,
      { code: 'TRANSACTION_ENDED', outcome: 'unknown' },
      'rolled_back',
    ],
  ])(
    'is taken back when a procedure %s, and may be begun again',
    async (_, handler, status, error, reason) => {
      await database.admin.query('DROP PROCEDURE IF EXISTS app.takes');
      await database.admin.query(
        `CREATE PROCEDURE app.takes() BEGIN ${handler && `${handler};`} UPDATE app.accounts SET balance = 0 WHERE id = 2; END`,
      );
      const [victim, other] = [await begin(), await begin()];
      // The server ends the one that has done less.
      for (const id of [3, 4, 5, 6]) await run(other, `INSERT INTO accounts VALUES (${id}, 0)`);
      await run(other, 'UPDATE accounts SET balance = 1 WHERE id = 2');
      await run(victim, 'UPDATE accounts SET balance = 0 WHERE id = 1');
      const [failed] = await Promise.all([
        run(victim, 'CALL takes()'),
        run(other, 'UPDATE accounts SET balance = 1 WHERE id = 1'),
      ]);
      expect(errorOf(failed)).toMatchObject([status, { ...error, transaction: 'ended' }]);
      const { outcome } = error;
      expect(errorOf(await call(victim, 'commit'))).toMatchObject([410, { reason, outcome }]);
      expect((await call(victim, 'rollback')).status).toBe(reason === 'implicit_commit' ? 410 : 200);
      expect((await call(other, 'rollback')).status).toBe(200);
      expect(await balances()).toEqual([100, 100]);
    },
  );

  test('that a procedure has committed says so, although its time ended in the middle', async () => {
    await database.admin.query(
      'CREATE PROCEDURE app.lingers() SQL SECURITY INVOKER BEGIN UPDATE app.accounts SET balance = 8 WHERE id = 1; COMMIT; DO SLEEP(30); END',
    );
    const id = await begin({}, 'hasty');
    expect(errorOf(await run(id, 'CALL lingers()'))).toMatchObject([
      410,
      // Unknown, if the server was too slow to tell.
      { reason: 'lifetime', outcome: expect.stringMatching(/^(applied|unknown)$/), transaction: 'ended' },
    ]);
    expect(errorOf(await call(id, 'commit'))).toMatchObject([
      410,
      { reason: 'lifetime', outcome: expect.stringMatching(/^(applied|unknown)$/) },
    ]);
    expect(await balances()).toEqual([8, 100]);
  });

  test('goes on after a procedure that does not end it', async () => {
    await database.admin.query('CREATE PROCEDURE app.adds() UPDATE app.accounts SET balance = balance + 1');
    const id = await begin();
    expect((await run(id, 'CALL adds()')).status).toBe(200);
    expect((await run(id, 'CALL adds()')).status).toBe(200);
    await call(id, 'commit');
    expect(await balances()).toEqual([102, 102]);
  });
});
