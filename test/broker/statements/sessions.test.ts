import { beforeAll, describe, expect, test } from 'vitest';
import { useBroker } from '../../support/use-broker.ts';
import { transactionVariable } from '../support/dialect.ts';

const { database, broker } = await useBroker({
  databases: {
    default: {
      pool: { size: 1, maxOverflow: 0 },
      session: {
        sqlMode: 'NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES',
        timeZone: '+02:00',
        collation: 'utf8mb4_bin',
        variables: { lock_wait_timeout: 7, transaction_isolation: 'READ-COMMITTED' },
      },
    },
  },
});

const SESSION = `SELECT @@sql_mode, @@time_zone, @@collation_connection, @@lock_wait_timeout,
  ${transactionVariable(database.server, 'isolation')}, @@autocommit, DATABASE()`;
const CONFIGURED = [
  'NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES',
  '+02:00',
  'utf8mb4_bin',
  '7',
  'READ-COMMITTED',
  '1',
  'app',
];

async function session(): Promise<string[]> {
  const { rows } = await broker.query(SESSION);
  return (rows[0] ?? []).map(String);
}

test('[98] a new connection has the session that the settings ask for', async () => {
  expect(await session()).toEqual(CONFIGURED);
});

describe('[91] the next caller sees nothing of', () => {
  test.each([
    ['a user variable', 'SET @left = 1', 'SELECT left_variable()', [[null]]],
    ['a session variable', 'SET lock_wait_timeout = 99', 'SELECT @@lock_wait_timeout', [['7']]],
    [
      'a temporary table',
      'CREATE TEMPORARY TABLE left_over (n INT)',
      "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'left_over'",
      [['0']],
    ],
    ['an advisory lock', "DO GET_LOCK('left', 0)", "SELECT IS_USED_LOCK('left')", [[null]]],
    ['a generated id', 'INSERT INTO numbered VALUES (NULL)', 'SELECT LAST_INSERT_ID()', [['0']]],
    ['a number of found rows', 'SELECT 1 UNION SELECT 2', 'SELECT FOUND_ROWS()', [['1']]],
  ])('%s that a procedure left', async (_what, leave, look, expected) => {
    const { admin } = database;
    await admin.query('CREATE TABLE IF NOT EXISTS app.numbered (id INT AUTO_INCREMENT PRIMARY KEY)');
    await admin.query('DROP FUNCTION IF EXISTS app.left_variable');
    await admin.query('CREATE FUNCTION app.left_variable() RETURNS INT RETURN @left');
    await admin.query('DROP PROCEDURE IF EXISTS app.`leave`');
    await admin.query(`CREATE PROCEDURE app.\`leave\`() ${leave}`);
    await broker.query('CALL `leave`()');
    expect((await broker.query(look)).rows).toEqual(expected);
    expect(await session()).toEqual(CONFIGURED);
  });

  test.each([
    'SELECT 1 UNION SELECT 2',
    'SELECT SQL_CALC_FOUND_ROWS 1 FROM (SELECT 1 UNION SELECT 2) AS two LIMIT 1',
  ])('the number of rows that %s found', async (sql) => {
    await broker.query(sql);
    expect((await broker.query('SELECT FOUND_ROWS()')).rows).toEqual([['1']]);
  });

  test('[78] a procedure that left a transaction open', async () => {
    await database.admin.query('CREATE TABLE app.half_done (n INT) ENGINE = InnoDB');
    await database.admin.query(
      'CREATE PROCEDURE app.leave_open() BEGIN SET autocommit = 0; INSERT INTO half_done VALUES (1); END',
    );
    await broker.query('CALL leave_open()');
    expect((await broker.query('SELECT COUNT(*) FROM half_done')).rows).toEqual([['0']]);
    expect(await session()).toEqual(CONFIGURED);
  });

  test('a reader before it', async () => {
    await broker.post('/v1/databases/default/query', { sql: 'SELECT 1' }, broker.keys.reader);
    const readOnly = transactionVariable(database.server, 'read_only');
    expect((await broker.query(`SELECT ${readOnly}`)).rows).toEqual([['0']]);
  });
});

describe('a role does not stay that was taken', () => {
  const role = async () => (await broker.query('SELECT CURRENT_ROLE()')).rows;
  let ofLogin: unknown;

  beforeAll(async () => {
    const { admin } = database;
    ofLogin = await role();
    await admin.query('CREATE ROLE boss');
    await admin.query('GRANT boss TO app');
    await admin.query('CREATE PROCEDURE app.rise() SQL SECURITY INVOKER SET ROLE boss');
    const risen = 'RETURNS INT SQL SECURITY INVOKER BEGIN CALL rise(); RETURN 1; END';
    await admin.query(`CREATE FUNCTION app.risen() ${risen}`);
    await broker.query('CREATE TABLE numbers (n INT)');
    await broker.query('CREATE TRIGGER rising BEFORE INSERT ON numbers FOR EACH ROW CALL rise()');
    await broker.query('CREATE SQL SECURITY INVOKER VIEW rises AS SELECT risen() AS n');
  });

  test.each([
    ['by a procedure', 'CALL rise()'],
    ['by a function', 'SELECT risen()'],
    ['by a trigger of a plain statement', 'INSERT INTO numbers VALUES (1)'],
    ['by a view in a plain statement', 'SELECT n FROM rises'],
  ])('%s', async (_by, sql) => {
    await broker.query(sql);
    expect(await role()).toEqual(ofLogin);
  });

  test('nor can it be taken by a statement', async () => {
    const refused = await broker.post('/v1/databases/default/query', { sql: 'SET ROLE boss' });
    expect(refused.json()).toMatchObject({ error: { code: 'STATEMENT_NOT_ALLOWED' } });
  });
});

test('statements that a procedure profiled are not shown', async () => {
  await database.admin.query(
    "CREATE PROCEDURE app.profile() SQL SECURITY INVOKER BEGIN SET profiling = 1; SELECT 'secret-of-a'; END",
  );
  await broker.query('CALL profile()');
  expect(JSON.stringify((await broker.query('SHOW PROFILES')).rows)).not.toContain('secret');
});

test('a database that a procedure changed does not stay', async () => {
  await database.admin.query('CREATE DATABASE elsewhere');
  await database.admin.query('GRANT ALL ON elsewhere.* TO app');
  await database.admin.query(
    "CREATE PROCEDURE app.move_away() BEGIN PREPARE move FROM 'USE elsewhere'; EXECUTE move; END",
  );
  const moved = await broker.post('/v1/databases/default/query', { sql: 'CALL move_away()' });
  // MySQL prepares no USE.
  expect(moved.status).toBe(database.server.flavour === 'mysql' ? 400 : 200);
  expect((await broker.query('SELECT DATABASE()')).rows).toEqual([['app']]);
});

test('text keeps its backslashes under NO_BACKSLASH_ESCAPES', async () => {
  const text = "C:\\new 'x' \\";
  expect((await broker.query('SELECT ?', [text])).rows).toEqual([[text]]);
});
