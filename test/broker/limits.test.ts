import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/broker.ts';
import { startTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let broker: TestBroker;

beforeAll(async () => {
  database = await startTestDatabase();
  broker = await startTestBroker(database, {
    databases: {
      default: { pool: { size: 1, maxOverflow: 0 }, limits: { maxRows: 1_000, maxResultBytes: 100_000 } },
    },
  });
  await database.admin.query('CREATE TABLE app.numbers (n INT PRIMARY KEY)');
  await database.admin.query('INSERT INTO app.numbers SELECT seq FROM app.seq_1_to_100000');
});

afterAll(async () => {
  await broker.stop();
  await database.stop();
});

async function fails(body: object): Promise<unknown> {
  const reply = await broker.post('/v1/databases/default/query', body);
  return { status: reply.status, ...(reply.json() as object) };
}

test('a result of more rows than allowed is refused with the limit', async () => {
  expect(await fails({ sql: 'SELECT n FROM numbers' })).toMatchObject({
    status: 422,
    error: {
      code: 'RESULT_TOO_LARGE',
      outcome: 'not_applied',
      limit: { name: 'maxRows', max: 1_000, actual: 1_001 },
    },
  });
});

test('a request may ask for a lower limit, not for a higher one', async () => {
  expect(await fails({ sql: 'SELECT n FROM numbers LIMIT 6', maxRows: 5 })).toMatchObject({
    error: { limit: { max: 5 } },
  });
  expect(await fails({ sql: 'SELECT n FROM numbers', maxRows: 5_000 })).toMatchObject({
    error: { limit: { max: 1_000 } },
  });
});

test('a result of more bytes than allowed is refused with the limit', async () => {
  expect(await fails({ sql: "SELECT REPEAT('x', 1000) FROM numbers LIMIT 200" })).toMatchObject({
    status: 422,
    error: { code: 'RESULT_TOO_LARGE', limit: { name: 'maxResultBytes', max: 100_000 } },
  });
});

test('a result that grows beyond the limit only as JSON is refused too', async () => {
  expect(await fails({ sql: 'SELECT REPEAT(CHAR(1 USING utf8mb4), 50000)' })).toMatchObject({
    error: { code: 'RESULT_TOO_LARGE', limit: { name: 'maxResultBytes', actual: expect.any(Number) } },
  });
});

test('the pool serves on after each of these', async () => {
  expect((await broker.query('SELECT 1')).rows).toEqual([[1]]);
  expect(broker.broker.pools.get('default').pool.stats()).toMatchObject({
    connections: 1,
    checkedOut: 0,
    waiting: 0,
  });
});
