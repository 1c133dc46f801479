import { beforeEach, expect, test } from 'vitest';
import { useBroker } from '../support/use-broker.ts';
import { AWS_REQUEST_ID, contextWith, httpEvent } from './support/lambda.ts';

const { database, broker } = await useBroker();
process.env.BROKER_URL = broker.url;
process.env.BROKER_KEY = broker.keys.writer;
const { handler } = await import('../../functions/transaction.ts');

await database.admin.query('CREATE TABLE app.stock (id INT PRIMARY KEY, amount INT NOT NULL)');

beforeEach(async () => {
  await database.admin.query('REPLACE INTO app.stock VALUES (1, 5)');
});

const amount = async () => (await database.admin.query('SELECT amount FROM app.stock'))[0]?.amount;

const TAKE = { sql: 'UPDATE stock SET amount = amount - ? WHERE id = 1', params: [2] };
const READ = { sql: 'SELECT amount FROM stock WHERE id = 1' };
const FAIL = { sql: 'UPDATE stock SET amount = NULL WHERE id = 1' };

function post(body: object, alias = 'default') {
  return httpEvent({
    routeKey: 'POST /databases/{alias}/transaction',
    pathParameters: { alias },
    body: JSON.stringify(body),
  });
}

function bodyOf(reply: unknown): unknown {
  return JSON.parse(JSON.parse(JSON.stringify(reply)).body);
}

test('over HTTP all statements are done and their results come back', async () => {
  const reply = await handler(post({ statements: [TAKE, READ], isolation: 'serializable' }), contextWith());

  expect(reply).toMatchObject({ statusCode: 200, headers: { 'x-request-id': AWS_REQUEST_ID } });
  expect(bodyOf(reply)).toMatchObject({ results: [{ affectedRows: 1 }, { rows: [[3]] }] });
  expect(await amount()).toBe(3);
});

test('over HTTP nothing is done when a statement fails, and the reply names it', async () => {
  const reply = await handler(post({ statements: [TAKE, FAIL] }), contextWith());

  expect(reply).toMatchObject({ statusCode: 409 });
  expect(bodyOf(reply)).toMatchObject({
    error: { code: 'CONSTRAINT_VIOLATION', outcome: 'not_applied', details: { index: 1 } },
  });
  expect(await amount()).toBe(5);
});

test('over HTTP an unknown database is 404', async () => {
  expect(await handler(post({ statements: [READ] }, 'other'), contextWith())).toMatchObject({
    statusCode: 404,
  });
});

test("invoked directly it returns the broker's body", async () => {
  const event = { database: 'default', statements: [TAKE, READ], readOnly: false, timeoutMs: 5_000 };

  expect(await handler(event, contextWith())).toMatchObject({ results: [{}, { rows: [[3]] }] });
  expect(await amount()).toBe(3);
});

test.each([
  ['a statement of which fails', { statements: [TAKE, FAIL] }, 'CONSTRAINT_VIOLATION'],
  [
    'that expects something else',
    { statements: [{ ...TAKE, expect: { affectedRows: 2 } }] },
    'EXPECTATION_FAILED',
  ],
  ['that has no statements', { statements: [] }, 'INVALID_REQUEST'],
  ['that names no database', { database: undefined, statements: [READ] }, 'INVALID_REQUEST'],
])(
  'invoked directly with a transaction %s it throws its code and nothing is done',
  async (_, event, name) => {
    await expect(handler({ database: 'default', ...event }, contextWith())).rejects.toMatchObject({ name });
    expect(await amount()).toBe(5);
  },
);

test('invoked directly it gives the transaction no more time than it was told', async () => {
  const event = { database: 'default', statements: [TAKE, { sql: 'SELECT SLEEP(30)' }], timeoutMs: 200 };

  await expect(handler(event, contextWith())).rejects.toMatchObject({ name: 'DEADLINE_EXCEEDED' });
  expect(await amount()).toBe(5);
});
