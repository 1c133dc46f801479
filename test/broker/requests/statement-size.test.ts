import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestBroker } from '../../support/broker.ts';
import { http } from '../../support/http.ts';
import { useBroker } from '../../support/use-broker.ts';
import { literal } from '../support/dialect.ts';

const MAX_BYTES = 200_000;

const { database, broker } = await useBroker({
  databases: {
    default: { pool: { size: 1, maxOverflow: 0 }, limits: { maxStatementBytes: MAX_BYTES } },
  },
});

async function ask(body: object, path = '/v1/databases/default/query'): Promise<unknown> {
  const reply = await broker.post(path, body);
  return { status: reply.status, ...(reply.json() as object) };
}

/** A statement that is `bytes` long once its value is written into it. */
function sized(bytes: number): object {
  return { sql: 'SELECT LENGTH(?)', params: ['x'.repeat(bytes - "SELECT LENGTH('')".length)] };
}

test('a statement is refused by the bytes that it has with its values, to the byte', async () => {
  expect(await ask(sized(MAX_BYTES))).toMatchObject({ status: 200 });
  expect(await ask(sized(MAX_BYTES + 1))).toMatchObject({
    status: 413,
    error: {
      code: 'REQUEST_TOO_LARGE',
      outcome: 'not_applied',
      limit: { name: 'maxStatementBytes', max: MAX_BYTES, actual: MAX_BYTES + 1 },
    },
  });
});

test('what a value is written as arrives as the value', async () => {
  const text = `\\'"\0\n\r\x1a表\u{1f600}/*--`.repeat(2_000);
  const { rows } = await broker.query('SELECT ?, LENGTH(?), ?', [text, { $json: text }, 'next']);
  expect(rows).toEqual([[text, literal(database.server, Buffer.byteLength(JSON.stringify(text))), 'next']]);
});

test('a megabyte that a statement names 250 times is refused without being written once', async () => {
  const params = { a: 'x'.repeat(1_000_000) };
  const heldBefore = process.memoryUsage().rss;
  expect(await ask({ sql: `SELECT ${'LENGTH(:a)+'.repeat(3_000)}0`, params })).toMatchObject({
    status: 413,
    error: { limit: { actual: expect.any(Number) } },
  });
  expect(process.memoryUsage().rss - heldBefore).toBeLessThan(100_000_000);
});

test('the statements of a transaction and the sets of a batch are refused before anything runs', async () => {
  await database.admin.query('CREATE TABLE app.sizes (v LONGTEXT)');
  const insert = { sql: 'INSERT INTO sizes VALUES (?)', params: ['small'] };
  const large = { sql: 'INSERT INTO sizes VALUES (?)', params: ['x'.repeat(MAX_BYTES)] };
  expect(await ask({ statements: [insert, large] }, '/v1/databases/default/transaction')).toMatchObject({
    status: 413,
    error: { details: { index: 1 }, limit: { name: 'maxStatementBytes' } },
  });
  const paramSets = [...Array.from({ length: 900 }, () => ['small']), large.params];
  expect(await ask({ sql: insert.sql, paramSets }, '/v1/databases/default/batch')).toMatchObject({
    status: 413,
    error: { details: { index: 900 }, limit: { name: 'maxStatementBytes' } },
  });
  expect((await broker.query('SELECT COUNT(*) FROM sizes')).rows).toEqual([['0']]);
});

test.each([
  ['placeholders', `SELECT ${':a,'.repeat(1_300_000)}1`, { a: 1 }],
  ['question marks', `SELECT ${'?,'.repeat(65_536)}1`, []],
])('more than 65,535 %s are refused with the number', async (_, sql, params) => {
  expect(await ask({ sql, params })).toMatchObject({
    status: 400,
    error: { code: 'INVALID_REQUEST', limit: { max: 65_535, actual: 65_536 } },
  });
});

test('the members of lists count as values', async () => {
  const $list = Array.from({ length: 40_000 }, () => 1);
  expect(await ask({ sql: 'SELECT 1 IN (?)', params: [{ $list }] })).toMatchObject({ status: 200 });
  expect(await ask({ sql: 'SELECT 1 IN (?) + 1 IN (?)', params: [{ $list }, { $list }] })).toMatchObject({
    status: 400,
    error: { code: 'INVALID_REQUEST', limit: { max: 65_535, actual: 80_000 } },
  });
});

test.each([
  ['a list', { sql: 'SELECT 1 IN (?)', params: [{ $list: new Array(150_000).fill(1) }] }],
  ['values', { sql: 'SELECT ?', params: new Array(150_000).fill(1) }],
])('%s of 150,000 values is refused at the first that is too many', async (_, body) => {
  expect(await ask(body)).toMatchObject({
    status: 400,
    error: { code: 'INVALID_REQUEST', limit: { name: 'values', max: 65_535, actual: 65_536 } },
  });
});

const PACKET_BYTES = 1_048_576;
let narrow: Awaited<ReturnType<typeof startTestBroker>>;
let serverBytes = '';

beforeAll(async () => {
  const { rows } = await broker.query('SELECT @@GLOBAL.max_allowed_packet');
  serverBytes = String(rows[0]?.[0]);
  // Whatever connection of it serves, it is opened under this limit.
  await database.admin.query(`SET GLOBAL max_allowed_packet = ${PACKET_BYTES}`);
  narrow = await startTestBroker(database);
});

afterAll(async () => {
  await database.admin.query(`SET GLOBAL max_allowed_packet = ${serverBytes}`);
  await narrow.stop();
});

test('the largest statement that the server takes is sent, and the next larger one is not', async () => {
  const id = async () => (await narrow.query('SELECT CONNECTION_ID()')).rows;
  const first = await id();
  const send = async (bytes: number) =>
    await http(narrow.queryUrl(), { headers: narrow.headers(), body: JSON.stringify(sized(bytes)) });
  expect((await send(PACKET_BYTES - 2)).status).toBe(200);
  const refused = await send(PACKET_BYTES - 1);
  expect([refused.status, refused.json()]).toMatchObject([
    413,
    {
      error: {
        code: 'REQUEST_TOO_LARGE',
        outcome: 'not_applied',
        limit: { name: 'max_allowed_packet', max: PACKET_BYTES - 2, actual: PACKET_BYTES - 1 },
      },
    },
  ]);
  // The server has hung up on nobody.
  expect(await id()).toEqual(first);
});
