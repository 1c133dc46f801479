import { afterEach, beforeAll, expect, test } from 'vitest';
import { useBroker } from '../support/use-broker.ts';

const { database, broker } = await useBroker();

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

test.each([1290, 1836, 1792])(
  'a caller that raises error %i by itself has nothing replaced',
  async (errno) => {
    const before = generation();
    expect(await ask(`CALL cry_wolf(${errno})`)).toBe('DATABASE_READ_ONLY');
    expect(generation()).toBe(before);
  },
);

test('a caller that may only read and tries to write has nothing replaced', async () => {
  const before = generation();
  expect(await ask('INSERT INTO notes VALUES (1)', broker.keys.reader)).toBe('READ_ONLY_VIOLATION');
  expect(generation()).toBe(before);
});
