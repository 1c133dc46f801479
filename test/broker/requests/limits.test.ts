import { beforeAll, expect, test } from 'vitest';
import { http } from '../../support/http.ts';
import { useBroker } from '../../support/use-broker.ts';
import { literal } from '../support/dialect.ts';

const { database, broker } = await useBroker({
  databases: {
    default: { pool: { size: 1, maxOverflow: 0 }, limits: { maxRows: 1_000, maxResultBytes: 100_000 } },
  },
});

beforeAll(async () => {
  await database.admin.query('CREATE TABLE app.numbers (n INT PRIMARY KEY)');
  const digits = "JSON_TABLE('[0,1,2,3,4,5,6,7,8,9]', '$[*]' COLUMNS (digit INT PATH '$'))";
  await database.admin.query(
    `INSERT INTO app.numbers SELECT a.digit + 10 * b.digit + 100 * c.digit + 1000 * d.digit + 10000 * e.digit + 1
     FROM ${['a', 'b', 'c', 'd', 'e'].map((name) => `${digits} ${name}`).join(', ')}`,
  );
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

test('a result of many empty sets is refused before it fills the memory', async () => {
  await database.admin.query(
    `CREATE PROCEDURE app.endless_sets() SQL SECURITY INVOKER BEGIN
      DECLARE n INT DEFAULT 0;
      WHILE n < 1000000 DO SELECT 1 AS a_column_with_a_name FROM numbers WHERE FALSE; SET n = n + 1; END WHILE; END`,
  );
  expect(await fails({ sql: 'CALL endless_sets()' })).toMatchObject({
    status: 422,
    error: { code: 'RESULT_TOO_LARGE', limit: { name: 'maxResultBytes' } },
  });
});

test('a result of nothing but NULLs is counted as what it takes in the reply', async () => {
  const nulls = Array.from({ length: 100 }, () => 'NULL').join(',');
  expect(await fails({ sql: `SELECT ${nulls} FROM numbers LIMIT 500`, maxRows: 500 })).toMatchObject({
    error: { code: 'RESULT_TOO_LARGE', limit: { name: 'maxResultBytes' } },
  });
});

test('a body of bad values is refused at the first of them', async () => {
  const body = `{"sql":"SELECT 1","params":[${'[],'.repeat(60_000)}[]]}`;
  const reply = await http(broker.queryUrl(), { headers: broker.headers(), body });
  expect([reply.status, reply.json()]).toEqual([
    400,
    { error: expect.objectContaining({ message: expect.stringMatching(/^params\.0 must be/) }) },
  ]);
});

test('a list of bad values is refused at the first of them', async () => {
  const body = `{"sql":"SELECT 1 IN (?)","params":[{"$list":[1,${'{},'.repeat(60_000)}{}]}]}`;
  const reply = await http(broker.queryUrl(), { headers: broker.headers(), body });
  expect([reply.status, reply.json()]).toEqual([
    400,
    { error: expect.objectContaining({ message: expect.stringMatching(/^params\.0\.\$list\.1 must be/) }) },
  ]);
});

const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

test.each([
  ['a value', `{"sql":"SELECT ?","params":${deep}}`],
  ['a value that is read with care', `{"sql":"SELECT ?","params":["1234567890123456",${deep}]}`],
])('%s that is nested too deeply is refused', async (_what, body) => {
  const reply = await http(broker.queryUrl(), { headers: broker.headers(), body });
  expect([reply.status, reply.json()]).toEqual([
    400,
    { error: expect.objectContaining({ code: 'INVALID_REQUEST' }) },
  ]);
});

test('a document may be nested as deep as the server takes it', async () => {
  const body = `{"sql":"SELECT LENGTH(?), JSON_VALID(?)","params":[{"$json":${deep}},{"$json":[[]]}]}`;
  const reply = await http(broker.queryUrl(), { headers: broker.headers(), body });
  expect(reply.json()).toMatchObject({
    rows: [[literal(database.server, 40_000), literal(database.server, 1)]],
  });
});

test('the pool serves on after each of these', async () => {
  expect((await broker.query('SELECT 1')).rows).toEqual([[literal(database.server, 1)]]);
  expect(broker.broker.pools.get('default').pool.stats()).toMatchObject({
    connections: 1,
    checkedOut: 0,
    waiting: 0,
  });
});
