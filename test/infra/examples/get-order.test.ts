import { afterAll, beforeAll, expect, test } from 'vitest';
import { httpEvent } from '../../functions/support/lambda.ts';
import { type Answer, failure, StubBroker } from '../../support/stub-broker.ts';

let broker: StubBroker;
let handler: typeof import('../../../infra/examples/orders-service/get-order.ts').handler;

beforeAll(async () => {
  broker = await StubBroker.start(() => resultOf([]));
  process.env.BROKER_URL = broker.url.href;
  ({ handler } = await import('../../../infra/examples/orders-service/get-order.ts'));
});

afterAll(async () => {
  await broker[Symbol.asyncDispose]();
});

function resultOf(rows: unknown[][]): Answer {
  const names = { id: 'BIGINT', status: 'VARCHAR', total: 'DECIMAL', created_at: 'DATETIME' };
  const columns = Object.entries(names).map(([name, type]) => ({ name, type, nullable: false, length: 20 }));
  const facts = { affectedRows: 0, changedRows: 0, insertId: null, warnings: 0, durationMs: 1, queueMs: 0 };
  return { json: { columns, rows, ...facts } };
}

async function getOrder(id: string) {
  return await handler(httpEvent({ routeKey: 'GET /orders/{id}', pathParameters: { id } }));
}

test('an order is answered 200', async () => {
  broker.answer = () => resultOf([['7', 'paid', '19.90', '2026-11-22 10:00:00.000000']]);

  const reply = await getOrder('7');

  expect(reply.statusCode).toBe(200);
  expect(JSON.parse(reply.body ?? '')).toEqual({
    id: 7,
    status: 'paid',
    total: '19.90',
    created_at: '2026-11-22 10:00:00.000000',
  });
});

test('an order that is not there is answered 404', async () => {
  broker.answer = () => resultOf([]);

  expect(await getOrder('8')).toMatchObject({ statusCode: 404 });
});

test('an id that is none is answered 400', async () => {
  expect(await getOrder('8 OR 1=1')).toMatchObject({ statusCode: 400 });
});

test('a busy database is answered 503 with Retry-After', async () => {
  broker.answer = () => failure(503, 'POOL_TIMEOUT', { retryable: true });

  expect(await getOrder('7')).toMatchObject({ statusCode: 503, headers: { 'retry-after': '1' } });
});

test('any other failure fails the function', async () => {
  broker.answer = () => failure(400, 'SQL_ERROR');

  await expect(getOrder('7')).rejects.toMatchObject({ code: 'SQL_ERROR' });
});
