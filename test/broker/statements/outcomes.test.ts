import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../support/http.ts';
import { useBroker } from '../../support/use-broker.ts';

const { database, broker } = await useBroker();

beforeAll(async () => {
  const { admin } = database;
  await admin.query('CREATE TABLE app.marks (n INT PRIMARY KEY) ENGINE = InnoDB');
  await admin.query(
    'CREATE PROCEDURE app.mark_and_fail() BEGIN INSERT INTO marks VALUES (1); SELECT * FROM missing; END',
  );
  await admin.query(
    "CREATE PROCEDURE app.mark_and_deadlock() BEGIN INSERT INTO marks VALUES (1); SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END",
  );
  await admin.query(
    'CREATE PROCEDURE app.mark_and_wait() SQL SECURITY INVOKER BEGIN INSERT INTO marks VALUES (1); SELECT SLEEP(60) FROM marks; END',
  );
  await admin.query(
    'CREATE FUNCTION app.marking() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO marks VALUES (1); RETURN SLEEP(60); END',
  );
});

beforeEach(async () => {
  await database.admin.query('DELETE FROM app.marks');
});

const marks = async () => (await database.admin.query('SELECT n FROM app.marks')).length;

async function failure(sql: string, more: object = {}, key?: string): Promise<Record<string, unknown>> {
  const reply = await broker.post('/v1/databases/default/query', { sql, ...more }, key);
  return (reply.json() as { error: Record<string, unknown> }).error;
}

/** Runs a statement and has its connection killed while it runs. */
async function lost(sql: string, key?: string): Promise<Record<string, unknown>> {
  const asked = failure(sql, {}, key);
  const [row] = await eventually(
    async () =>
      await database.admin.query(
        "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND state = 'User sleep'",
      ),
    (rows) => rows.length === 1,
  );
  await database.admin.query(`KILL CONNECTION ${String(row?.id)}`);
  return await asked;
}

describe('a failure is reported as not applied and as worth another try only when nothing can be left of it:', () => {
  test('a procedure that wrote and then failed may have been applied', async () => {
    expect(await failure('CALL mark_and_fail()')).toMatchObject({ code: 'SQL_ERROR', outcome: 'unknown' });
    expect(await marks()).toBe(1);
  });

  test('a procedure that wrote and then met a deadlock is not to be sent again', async () => {
    expect(await failure('CALL mark_and_deadlock()')).toMatchObject({
      code: 'DEADLOCK',
      outcome: 'unknown',
      retryable: false,
    });
    expect(await marks()).toBe(1);
  });

  test('a procedure that was stopped at its deadline may have been applied', async () => {
    expect(await failure('CALL mark_and_wait()', { timeoutMs: 200 })).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      outcome: 'unknown',
      retryable: false,
    });
    expect(await marks()).toBe(1);
  });

  test('a DROP of several tables may have been applied in part', async () => {
    await database.admin.query('CREATE TABLE app.to_drop (n INT)');
    expect(await failure('DROP TABLE to_drop, not_there')).toMatchObject({ outcome: 'unknown' });
  });

  test('DDL may have been applied in part, whatever the number of its error', async () => {
    await database.admin.query(
      "CREATE FUNCTION app.refusing() RETURNS INT BEGIN SIGNAL SQLSTATE '42000' SET MYSQL_ERRNO = 1142; RETURN 1; END",
    );
    // MariaDB's may have dropped a table by then.
    const create = database.server.flavour === 'mariadb' ? 'CREATE OR REPLACE' : 'CREATE';
    expect(await failure(`${create} TABLE made AS SELECT refusing() AS n`)).toMatchObject({
      outcome: 'unknown',
      mysql: { errno: 1142 },
    });
  });

  test.each([
    'SELEC 1',
    'SELEC ?',
    '\u{feff}SELECT 1',
    '\u{feff}INSERT INTO marks VALUES (1)',
    '(SELEC 1)',
    'INSRT INTO marks VALUES (1)',
    '"x"',
    '42',
    'CREATE TABEL broken (n INT)',
    'CREATE TABLE broken (n INT,, m INT)',
    'CREATE OR REPLACE VIEW broken AS SELEC 1',
    'ALTER TABEL marks ADD m INT',
    'DROP TABEL marks',
    'TRUNCATE marks marks',
    'GRANT SELECT',
    'OPTIMIZE TABEL marks',
    'DO 1 +',
  ])('what the server cannot read has not run: %s', async (sql) => {
    expect(await failure(sql, sql.includes('?') ? { params: [1] } : {})).toMatchObject({
      code: 'SQL_ERROR',
      outcome: 'not_applied',
      retryable: false,
      mysql: { errno: 1064 },
    });
  });

  test.each([
    'CALL mark_and_misread()',
    'CALL mark_and_signal_misread()',
    'CREATE TABLE misread AS SELECT misreading() AS n',
    'CREATE TABLE misread TABLE misread_view',
    'DO misreading()',
    'DO (SELECT misreading())',
  ])('what runs a program may have been applied when that says that it cannot be read: %s', async (sql) => {
    // MariaDB has no TABLE statement, and its DO passes over errors.
    if (/TABLE misread_view|^DO/.test(sql) && database.server.flavour === 'mariadb') return;
    const { admin } = database;
    await admin.query('DROP PROCEDURE IF EXISTS app.mark_and_misread');
    await admin.query('DROP PROCEDURE IF EXISTS app.mark_and_signal_misread');
    await admin.query('DROP FUNCTION IF EXISTS app.misreading');
    await admin.query(
      "CREATE PROCEDURE app.mark_and_misread() BEGIN INSERT INTO marks VALUES (1); PREPARE s FROM 'SELEC 1'; END",
    );
    const signal = "SIGNAL SQLSTATE '42000' SET MYSQL_ERRNO = 1064";
    await admin.query(
      `CREATE PROCEDURE app.mark_and_signal_misread() BEGIN INSERT INTO marks VALUES (1); ${signal}; END`,
    );
    await admin.query(`CREATE FUNCTION app.misreading() RETURNS INT BEGIN ${signal}; RETURN 1; END`);
    await admin.query('CREATE OR REPLACE VIEW app.misread_view AS SELECT app.misreading() AS n');
    expect(await failure(sql)).toMatchObject({ outcome: 'unknown', mysql: { errno: 1064 } });
  });

  test.each([
    'BEGIN NOT ATOMIC INSERT INTO marks VALUES (1); EXECUTE IMMEDIATE "SELEC 1"; END',
    'lp: LOOP INSERT INTO marks VALUES (1); EXECUTE IMMEDIATE "SELEC 1"; END LOOP',
    'lp:LOOP INSERT INTO marks VALUES (1); EXECUTE IMMEDIATE "SELEC 1"; END LOOP',
    'IF 1 THEN INSERT INTO marks VALUES (1); EXECUTE IMMEDIATE "SELEC 1"; END IF',
  ])('nor is a program without a name said to have left nothing: %s', async (sql) => {
    const { outcome } = await failure(sql);
    if ((await marks()) > 0) expect(outcome).toBe('unknown');
  });

  test.each([
    [1153, 'too large'],
    [1927, 'closed state'],
  ])('a procedure that wrote and then says %i may have been applied', async (errno, text) => {
    await database.admin.query('DROP PROCEDURE IF EXISTS app.mark_and_signal');
    await database.admin.query(
      `CREATE PROCEDURE app.mark_and_signal() BEGIN INSERT INTO marks VALUES (1); COMMIT;
        SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = ${errno}, MESSAGE_TEXT = '${text}'; END`,
    );
    expect(await failure('CALL mark_and_signal()')).toMatchObject({ outcome: 'unknown', retryable: false });
  });

  test('an INSERT that fails was not applied', async () => {
    expect(await failure('INSERT INTO marks VALUES (1), (2), (1)')).toMatchObject({
      code: 'DUPLICATE_KEY',
      outcome: 'not_applied',
    });
    expect(await marks()).toBe(0);
  });

  test('an INSERT that is lost may have been applied', async () => {
    expect(await lost('INSERT INTO marks SELECT 1 + SLEEP(60)')).toMatchObject({
      code: 'CONNECTION_LOST',
      outcome: 'unknown',
      retryable: false,
    });
  });

  test('a SELECT that is lost may have been applied if it calls what a user defined', async () => {
    expect(await lost('SELECT marking()')).toMatchObject({ outcome: 'unknown' });
  });

  test('a plain SELECT that is lost was not applied', async () => {
    expect(await lost('SELECT SLEEP(60)')).toMatchObject({
      code: 'CONNECTION_LOST',
      outcome: 'not_applied',
      retryable: true,
    });
  });

  test("a reader's SELECT that is lost was not applied", async () => {
    expect(await lost('SELECT SLEEP(60), @@version', broker.keys.reader)).toMatchObject({
      outcome: 'not_applied',
    });
  });

  test("a reader's refused DDL was not applied, and it may not call by a made-up statement", async () => {
    const { reader } = broker.keys;
    expect(await failure('DROP TABLE marks', {}, reader)).toMatchObject({
      code: 'READ_ONLY_VIOLATION',
      outcome: 'not_applied',
    });
    expect(await failure("EXECUTE IMMEDIATE 'INSERT INTO marks VALUES (1)'", {}, reader)).toMatchObject({
      code: 'STATEMENT_NOT_ALLOWED',
    });
  });
});

test('a long literal keeps nobody else waiting', async () => {
  const reply = await broker.post('/v1/databases/default/query', {
    sql: `SELECT '${'a'.repeat(2_000_000)}'`,
  });
  expect(reply.status).toBe(200);
}, 5_000);
