import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { holdClock } from '../support/hold-clock.ts';
import { failure, StubBroker } from '../support/stub-broker.ts';
import { AWS_REQUEST_ID, contextWith, httpEvent } from './support/lambda.ts';

// As a broker writes it, spaces and all: it has to come back so.
const RESULT_TEXT = '{"columns": [], "rows": [[1.10, "\\u00e9"]], "affectedRows": 9007199254740993}';

let broker: StubBroker;
let handler: typeof import('../../functions/query.ts').handler;

beforeAll(async () => {
  broker = await StubBroker.start(() => ({ json: RESULT_TEXT }));
  process.env.BROKER_URL = broker.url.href;
  process.env.BROKER_KEY = 'function-key';
  ({ handler } = await import('../../functions/query.ts'));
});

beforeEach(() => {
  broker.seen.length = 0;
  broker.answer = () => ({ json: RESULT_TEXT });
});

afterAll(async () => {
  await broker[Symbol.asyncDispose]();
});

function queryEvent(call: Partial<Parameters<typeof httpEvent>[0]> = {}) {
  const routeKey = 'POST /databases/{alias}/query';
  return httpEvent({ routeKey, pathParameters: { alias: 'shop' }, body: '{"sql": "SELECT 1"}', ...call });
}

describe('over HTTP', () => {
  test('the body goes to the broker and its reply comes back word for word', async () => {
    const body = '{"sql": "SELECT ?",  "params": [9007199254740993]}';

    const reply = await handler(queryEvent({ body }), contextWith(10_000));

    expect(reply).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/json', 'x-request-id': AWS_REQUEST_ID },
      body: RESULT_TEXT,
      isBase64Encoded: false,
    });
    const [seen] = broker.seen;
    expect(seen).toMatchObject({ path: '/v1/databases/shop/query', body });
    expect(seen?.headers).toMatchObject({
      authorization: 'Bearer function-key',
      'x-request-id': AWS_REQUEST_ID,
    });
  });

  test('the broker is given the time that is left minus 250 ms', async () => {
    holdClock();
    await handler(queryEvent(), contextWith(1_000));

    expect(broker.seen[0]?.headers['x-timeout-ms']).toBe('750');
  });

  test("the caller's own request id is passed on if it is one", async () => {
    await handler(queryEvent({ headers: { 'x-request-id': 'mine.1' } }), contextWith());
    await handler(queryEvent({ headers: { 'x-request-id': 'no id' } }), contextWith());

    expect(broker.seen.map(({ headers }) => headers['x-request-id'])).toEqual(['mine.1', AWS_REQUEST_ID]);
  });

  test("the caller's idempotency key is passed on", async () => {
    await handler(queryEvent({ headers: { 'idempotency-key': 'order-7' } }), contextWith());
    expect(broker.seen[0]?.headers['idempotency-key']).toBe('order-7');
  });

  test('a body in base64 is decoded', async () => {
    const body = Buffer.from('{"sql": "SELECT \'é\'"}').toString('base64');

    await handler(queryEvent({ body, isBase64Encoded: true }), contextWith());

    expect(broker.seen[0]?.body).toBe('{"sql": "SELECT \'é\'"}');
  });

  test("the broker's failures keep their status, body and Retry-After", async () => {
    broker.answer = () => ({
      ...failure(429, 'QUEUE_FULL', { retryable: true }),
      headers: { 'retry-after': '2' },
    });

    const reply = await handler(queryEvent(), contextWith());

    expect(reply).toMatchObject({ statusCode: 429, headers: { 'retry-after': '2' } });
    expect(bodyOf(reply)).toMatchObject({ error: { code: 'QUEUE_FULL', requestId: 'r-1' } });
  });

  test.each([
    ['no body', { body: undefined }, 'the body must be a JSON object'],
    ['a body that is no text', { body: { sql: 'SELECT 1' } }, 'the path must name a database'],
    ['no database', { pathParameters: {} }, 'the path must name a database'],
    ['bytes that are no text', { body: '/w==', isBase64Encoded: true }, 'the body must be UTF-8'],
  ])('an event with %s is answered 400 in the form of the broker', async (_, call, message) => {
    const reply = await handler({ ...queryEvent(), ...call }, contextWith());

    expect(reply).toMatchObject({ statusCode: 400, headers: { 'x-request-id': AWS_REQUEST_ID } });
    expect(bodyOf(reply)).toEqual({
      error: {
        code: 'INVALID_REQUEST',
        message,
        retryable: false,
        outcome: 'not_applied',
        requestId: AWS_REQUEST_ID,
      },
    });
    expect(broker.seen).toEqual([]);
  });

  test.each(['text/plain', 'text/plain; application/json', 'application/jsonp', ''])(
    'a body of type %j is answered 415 and goes nowhere',
    async (contentType) => {
      const reply = await handler(queryEvent({ headers: { 'content-type': contentType } }), contextWith());

      expect(reply).toMatchObject({ statusCode: 415 });
      expect(bodyOf(reply)).toMatchObject({
        error: { code: 'UNSUPPORTED_MEDIA_TYPE', requestId: AWS_REQUEST_ID },
      });
      expect(broker.seen).toEqual([]);
    },
  );

  test('a body of JSON may name its character set', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    expect(await handler(queryEvent({ headers }), contextWith())).toMatchObject({ statusCode: 200 });
  });

  test('a database called .. is 404 and leads to no other address', async () => {
    const reply = await handler(queryEvent({ pathParameters: { alias: '..' } }), contextWith());
    expect(reply).toMatchObject({ statusCode: 404 });
    expect(broker.seen).toEqual([]);
  });

  test.each([
    ['a page of HTML', { status: 502, headers: { 'content-type': 'text/html' }, json: '<html>' }],
    ['JSON in a form of its own', { status: 503, json: { message: 'Service Unavailable' } }],
  ])("a proxy's reply, %s, is answered 502 in the form of the broker", async (_, answer) => {
    broker.answer = () => answer;

    const reply = await handler(queryEvent(), contextWith());

    expect(reply).toMatchObject({ statusCode: 502 });
    expect(bodyOf(reply)).toMatchObject({ error: { code: 'BROKER_UNREACHABLE', outcome: 'unknown' } });
  });

  test('no answer in time is answered 504 before Lambda ends the function', async () => {
    holdClock();
    const asked = new Promise<void>((resolve) => {
      broker.answer = () => () => resolve();
    });

    const answered = handler(queryEvent(), contextWith(400));
    await asked;
    await vi.advanceTimersByTimeAsync(399);

    const reply = await answered;
    expect(reply).toMatchObject({ statusCode: 504 });
    expect(bodyOf(reply)).toMatchObject({ error: { code: 'DEADLINE_EXCEEDED', outcome: 'unknown' } });
  });

  test('a body that could outgrow 6 MB when it is escaped goes as base64', async () => {
    const text = JSON.stringify({ columns: [], rows: [['"'.repeat(2_000_000)]] });
    broker.answer = () => ({ json: text });

    const reply = await handler(queryEvent(), contextWith());

    expect(reply).toMatchObject({ statusCode: 200, isBase64Encoded: true });
    expect(Buffer.from(JSON.parse(JSON.stringify(reply)).body, 'base64').toString() === text).toBe(true);
    expect(JSON.stringify(reply).length).toBeLessThan(6 * 1024 * 1024);
  });

  test('a body that no reply of Lambda can hold is answered 422', async () => {
    broker.answer = () => ({ json: `{"rows":["${'x'.repeat(4_800_000)}"]}` });

    const reply = await handler(queryEvent(), contextWith());

    expect(reply).toMatchObject({ statusCode: 422 });
    expect(bodyOf(reply)).toMatchObject({
      error: { code: 'RESULT_TOO_LARGE', limit: { name: 'lambdaReplyBytes' } },
    });
  });
});

describe('invoked directly', () => {
  test("it sends the statement and returns the broker's body", async () => {
    const statement = { sql: 'SELECT ?', params: [1], maxRows: 3 };

    const body = await handler({ database: 'shop', timeoutMs: 500, ...statement }, contextWith());

    expect(body).toEqual(JSON.parse(RESULT_TEXT));
    expect(broker.seen[0]?.path).toBe('/v1/databases/shop/query');
    expect(JSON.parse(broker.seen[0]?.body ?? '')).toEqual(statement);
    expect(Number(broker.seen[0]?.headers['x-timeout-ms'])).toBeLessThanOrEqual(500);
  });

  test('it throws an error named by its code when the broker refuses', async () => {
    broker.answer = () => failure(409, 'DUPLICATE_KEY');

    await expect(handler({ database: 'shop', sql: 'INSERT' }, contextWith())).rejects.toMatchObject({
      name: 'DUPLICATE_KEY',
      message: 'the broker says DUPLICATE_KEY',
    });
  });

  test.each([[[9007199254740992]], { doc: { $json: { id: 12345678901234567000 } } }])(
    'with the rounded integer in %j it throws INVALID_REQUEST',
    async (params) => {
      const invoked = handler({ database: 'shop', sql: 'INSERT', params }, contextWith());
      await expect(invoked).rejects.toMatchObject({
        name: 'INVALID_REQUEST',
        message: expect.stringMatching(/^the event holds an integer beyond 2\^53, which Lambda rounds/),
      });
      expect(broker.seen).toEqual([]);
    },
  );

  test.each([0, -5, 1.5, '100'])('with timeoutMs %j it throws INVALID_REQUEST', async (timeoutMs) => {
    const invoked = handler({ database: 'shop', sql: 'SELECT 1', timeoutMs }, contextWith());
    await expect(invoked).rejects.toMatchObject({
      name: 'INVALID_REQUEST',
      message: expect.stringMatching(/^timeoutMs must be /),
    });
    expect(broker.seen).toEqual([]);
  });

  test.each(['.', '..', '', 'a/b', '../../readyz?', '\ud800'])(
    'with the database %j it throws UNKNOWN_DATABASE',
    async (database) => {
      const invoked = handler({ database, sql: 'SELECT 1' }, contextWith());
      await expect(invoked).rejects.toMatchObject({ name: 'UNKNOWN_DATABASE' });
      expect(broker.seen).toEqual([]);
    },
  );

  test.each([[{}], [{ sql: 'SELECT 1' }], [null], ['text']])(
    'with %j it throws INVALID_REQUEST',
    async (event) => {
      await expect(handler(event, contextWith())).rejects.toMatchObject({ name: 'INVALID_REQUEST' });
      expect(broker.seen).toEqual([]);
    },
  );
});

function bodyOf(reply: unknown): unknown {
  return JSON.parse(JSON.parse(JSON.stringify(reply)).body);
}
