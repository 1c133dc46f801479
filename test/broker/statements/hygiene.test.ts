import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestBroker, type TestBroker } from '../../support/broker.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { eventually } from '../../support/http.ts';
import { transactionVariable } from '../support/dialect.ts';

let database: TestDatabase;
let broker: TestBroker;
let resets = 0;

beforeAll(async () => {
  database = await startTestDatabase();
  // The worst defaults that a server can have.
  await database.admin.query('SET GLOBAL autocommit = 0');
  await database.admin.query('SET GLOBAL sql_auto_is_null = 1');
  broker = await startTestBroker(database, {
    databases: { default: { pool: { size: 1, maxOverflow: 0, prePing: false } } },
  });
  broker.broker.pools.get('default').pool.events.on('reset', () => {
    resets += 1;
  });
  await broker.query('CREATE TABLE words (id INT AUTO_INCREMENT PRIMARY KEY, word VARCHAR(20))');
  await procedure('leave_variables', 'SET @left = 1, lock_wait_timeout = 99');
  await procedure('leave_charset', 'SET NAMES latin1');
  await procedure('leave_isolation', 'SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE');
  await procedure('leave_transaction', "SET autocommit = 0; INSERT INTO words VALUES (NULL, 'half done')");
  await procedure('leave_table', 'CREATE TEMPORARY TABLE words (id INT, word INT)');
  await procedure('leave_lock', "DO GET_LOCK('left', 0)");
  await procedure('leave_statement', "PREPARE left_over FROM 'SELECT 1'");
  await procedure('run_left_statement', 'EXECUTE left_over');
  await database.admin.query('CREATE FUNCTION app.left_variable() RETURNS INT RETURN @left');
  await database.admin.query("CREATE FUNCTION app.take_lock() RETURNS INT RETURN GET_LOCK('left', 0)");
  await database.admin.query(
    'CREATE FUNCTION app.set_variable() RETURNS INT BEGIN SET @left = 1; RETURN 1; END',
  );
});

afterAll(async () => {
  await broker.stop();
  await database.stop();
});

/** Each test begins with a connection that was reset. */
beforeEach(async () => {
  await database.admin.query('DELETE FROM app.words');
  await broker.query('DO 0');
  const { pool } = broker.broker.pools.get('default');
  await eventually(
    () => Promise.resolve(pool.stats().idle),
    (idle) => idle === 1,
  );
  resets = 0;
});

async function procedure(name: string, body: string): Promise<void> {
  await database.admin.query(`CREATE PROCEDURE app.${name}() BEGIN ${body}; END`);
}

async function rows(sql: string): Promise<unknown> {
  return (await broker.query(sql)).rows;
}

async function isFree(lock: string): Promise<boolean> {
  const answer = await database.admin.query(`SELECT IS_FREE_LOCK('${lock}') AS free`);
  return JSON.stringify(answer).includes('1');
}

async function session(): Promise<unknown> {
  const { server } = database;
  const transaction = [
    transactionVariable(server, 'isolation'),
    transactionVariable(server, 'read_only'),
    ...(server.flavour === 'mariadb' ? ['@@in_transaction'] : []),
  ];
  return await rows(`SELECT left_variable(), @@lock_wait_timeout, @@character_set_client, @@character_set_results,
    @@collation_connection, @@autocommit, @@sql_mode, @@time_zone, ${transaction.join()}, @@sql_auto_is_null,
    DATABASE(), LAST_INSERT_ID(), IS_USED_LOCK('left')`);
}

/** None of it plain, and each shows in the session or in what is asked for. */
const LEFT = [
  ['variables', 'CALL leave_variables()'],
  ['a variable set in a SELECT', 'SELECT set_variable()'],
  ['a character set', 'CALL leave_charset()'],
  ['an isolation level', 'CALL leave_isolation()'],
  ['an open transaction', 'CALL leave_transaction()'],
  ['a temporary table', 'CALL leave_table()'],
  ['a lock', 'CALL leave_lock()'],
  ['a lock taken in a SELECT', 'SELECT take_lock()'],
  ['a prepared statement', 'CALL leave_statement()'],
  ['a generated id', "INSERT INTO words VALUES (LAST_INSERT_ID(7), 'seven')"],
] as const;

describe.each(LEFT)('of %s', (_what, leave) => {
  test('a statement that is not plain sees nothing', async () => {
    const before = await session();
    await broker.query(leave);
    expect(await session()).toEqual(before);
    const reply = await broker.post('/v1/databases/default/query', { sql: 'CALL run_left_statement()' });
    expect(reply.json()).toMatchObject({ error: { mysql: { errno: 1243 } } });
  });

  test('a plain statement sees nothing', async () => {
    await broker.query(leave);
    await database.admin.query('DELETE FROM app.words');
    await broker.query('INSERT INTO words (word) VALUES (?)', ['é表']);
    expect(await rows("SELECT HEX(word), word, '表' FROM words WHERE word = 'é表'")).toEqual([
      ['C3A9E8A1A8', 'é表', '表'],
    ]);
    expect(await isFree('left')).toBe(true);
  });
});

describe('plain statements', () => {
  test('share a connection without a reset, and what comes after them gets a reset one', async () => {
    await broker.query("INSERT INTO words (word) VALUES ('one')");
    for (let n = 0; n < 5; n += 1) await rows('SELECT id FROM words');
    expect(resets).toBeLessThan(3);
    expect(await rows('SELECT LAST_INSERT_ID()')).toEqual([['0']]);
  });

  test('do not find what another has inserted under "id IS NULL"', async () => {
    await broker.query("INSERT INTO words (word) VALUES ('mine')");
    expect(await rows('SELECT word FROM words WHERE id IS NULL')).toEqual([]);
  });

  test('last without a COMMIT', async () => {
    await broker.query("INSERT INTO words (word) VALUES ('kept')");
    await broker.query('DO 0');
    expect(await rows('SELECT word FROM words')).toEqual([['kept']]);
  });

  test.each([
    ['fails', { sql: 'SELECT * FROM nowhere' }, 'writer-key'],
    ['is stopped', { sql: 'SELECT SLEEP(5)', timeoutMs: 100 }, 'writer-key'],
    ['had too much to say', { sql: 'SELECT 1 UNION SELECT 2', maxRows: 1 }, 'writer-key'],
    ['ran for a reader', { sql: 'SELECT 1' }, 'reader-key'],
  ])('are followed by a reset when one %s', async (_what, body, key) => {
    await broker.post('/v1/databases/default/query', body, key);
    await broker.query("INSERT INTO words (word) VALUES ('x')");
    expect(resets).toBe(1);
  });

  test('leave a connection that is reset soon, without anybody asking', async () => {
    await rows('SELECT 1');
    await eventually(
      () => Promise.resolve(resets),
      (seen) => seen === 1,
      1_000,
    );
  });
});
