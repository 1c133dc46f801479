import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { useBroker } from '../../support/use-broker.ts';

const { database, broker } = await useBroker({
  databases: { timid: { session: { variables: { transaction_read_only: 1 } } } },
});

beforeAll(async () => {
  await database.admin.query('CREATE TABLE app.notes (n INT)');
  await database.admin.query(
    "CREATE PROCEDURE app.cry_wolf(errno INT) SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = errno, MESSAGE_TEXT = 'the --read-only option'",
  );
});

afterEach(async () => {
  await setReadOnly(false);
  // What was opened on a read-only server expects nothing else of it.
  broker.broker.pools.get('default').pool.invalidate('reconnect');
});

const setReadOnly = async (isReadOnly: boolean) =>
  await database.admin.query(`SET GLOBAL read_only = ${isReadOnly ? 1 : 0}`);

const ask = async (sql: string, key?: string) => {
  const { status, text } = await broker.post('/v1/databases/default/query', { sql }, key);
  const code: unknown = status === 200 ? 'OK' : (JSON.parse(text) as { error: { code: string } }).error.code;
  return code;
};

const failure = async (sql: string, key?: string) => {
  const { status, text } = await broker.post('/v1/databases/default/query', { sql }, key);
  return { status, ...(JSON.parse(text) as object) };
};

const write = async () => await ask('INSERT INTO notes VALUES (1)');
const generation = () => broker.broker.pools.get('default').pool.stats().generation;

test('a server that became read-only has its connections replaced once, however many writes it refuses', async () => {
  expect(await write()).toBe('OK');
  const before = generation();
  await setReadOnly(true);
  expect(await Promise.all([write(), write(), write()])).toEqual(Array(3).fill('DATABASE_READ_ONLY'));
  expect(generation()).toBe(before + 1);
  for (let round = 0; round < 3; round += 1) expect(await write()).toBe('DATABASE_READ_ONLY');
  expect(generation()).toBe(before + 1);
  await setReadOnly(false);
  expect(await write()).toBe('OK');
});

describe.each([1290, 1836, 1792])('error %i that somebody raises', (errno) => {
  test('is a failure of the statement, whatever raises it, and has nothing replaced', async () => {
    await database.admin.query('DROP TRIGGER IF EXISTS app.cry');
    await database.admin.query(
      `CREATE TRIGGER app.cry BEFORE INSERT ON notes FOR EACH ROW CALL cry_wolf(${errno})`,
    );
    const before = generation();
    try {
      for (const sql of [`CALL cry_wolf(${errno})`, 'INSERT INTO notes VALUES (1)']) {
        expect(await failure(sql)).toMatchObject({
          status: 400,
          error: { code: 'SQL_ERROR', retryable: false, mysql: { errno } },
        });
      }
      expect(generation()).toBe(before);
    } finally {
      await database.admin.query('DROP TRIGGER app.cry');
    }
  });

  test('by a caller that may only read is no failover', async () => {
    const { status } = await failure(`CALL cry_wolf(${errno})`, broker.keys.reader);
    expect(status).toBe(400);
  });
});

test('a session that the settings make READ ONLY refuses a write by itself: the server is no other', async () => {
  const before = broker.broker.pools.get('timid').pool.stats().generation;
  const { status, text } = await broker.post('/v1/databases/timid/query', {
    sql: 'INSERT INTO notes VALUES (1)',
  });
  expect([status, JSON.parse(text)]).toMatchObject([
    400,
    { error: { code: 'SQL_ERROR', retryable: false, outcome: 'not_applied', mysql: { errno: 1792 } } },
  ]);
  expect(broker.broker.pools.get('timid').pool.stats().generation).toBe(before);
});

test('a server that was read-only from the start is told as one', async () => {
  await setReadOnly(true);
  broker.broker.pools.get('default').pool.invalidate('test');
  expect(await failure('INSERT INTO notes VALUES (1)')).toMatchObject({
    status: 503,
    error: { code: 'DATABASE_READ_ONLY', retryable: true },
  });
});

test('a caller that may only read and tries to write has nothing replaced', async () => {
  const before = generation();
  expect(await ask('INSERT INTO notes VALUES (1)', broker.keys.reader)).toBe('READ_ONLY_VIOLATION');
  expect(generation()).toBe(before);
});
