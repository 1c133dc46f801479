import { describe, expect, test } from 'vitest';
import { BrokerError, type ConnectOptions, connect, list } from '../../lib/index.ts';
import type { Result } from '../../lib/protocol/query.ts';
import { failure, StubBroker } from '../support/stub-broker.ts';

const result: Result = {
  columns: [{ name: 'id', type: 'BIGINT', nullable: false, length: 20 }],
  rows: [['7']],
  affectedRows: 0,
  changedRows: 0,
  insertId: null,
  warnings: 0,
  durationMs: 1.5,
  queueMs: 0,
};
const answerResult = () => ({ json: result });

function clientOf(broker: StubBroker, options: Partial<ConnectOptions<'object'>> = {}) {
  return connect({ url: broker.url.href, key: 'the-key', ...options });
}

describe('query()', () => {
  test('sends the statement to the database of the client and returns the result with its rows decoded', async () => {
    await using broker = await StubBroker.start(answerResult);

    const answer = await clientOf(broker).query('SELECT id FROM t WHERE id IN (?)', [list([7n])], {
      maxRows: 5,
    });

    expect(answer).toEqual({ ...result, rows: [{ id: 7 }] });
    const [seen] = broker.seen;
    expect(seen?.path).toBe('/v1/databases/default/query');
    expect(seen?.headers).toMatchObject({
      authorization: 'Bearer the-key',
      'content-type': 'application/json',
    });
    expect(JSON.parse(seen?.body ?? '')).toEqual({
      sql: 'SELECT id FROM t WHERE id IN (?)',
      params: [{ $list: [{ $bigint: '7' }] }],
      maxRows: 5,
    });
  });

  test("tells the broker its own budget, or else the client's", async () => {
    await using broker = await StubBroker.start(answerResult);
    const db = clientOf(broker, { timeoutMs: 9_000 });

    await db.query('SELECT 1');
    await db.query('SELECT 1', [], { timeoutMs: 500 });

    const [first, second] = broker.seen.map(({ headers }) => Number(headers['x-timeout-ms']));
    expect(first).toBeGreaterThan(8_000);
    expect(first).toBeLessThanOrEqual(9_000);
    expect(second).toBeLessThanOrEqual(500);
  });

  test('of database() goes to that alias over the same connection', async () => {
    await using broker = await StubBroker.start(answerResult);
    const db = clientOf(broker);

    await db.query('SELECT 1');
    await db.database('reporting').query('SELECT 1');

    expect(broker.seen.map(({ path }) => path)).toEqual([
      '/v1/databases/default/query',
      '/v1/databases/reporting/query',
    ]);
    expect(broker.connections).toBe(1);
  });

  test('decodes every set of a CALL', async () => {
    const { columns } = result;
    const sets = [
      { columns, rows: [['7']] },
      { columns, rows: [['8'], ['9']] },
    ];
    await using broker = await StubBroker.start(() => ({ json: { ...result, resultSets: sets } }));

    const { resultSets } = await clientOf(broker, { bigint: 'bigint' }).query('CALL p()');

    expect(resultSets?.map(({ rows }) => rows)).toEqual([[{ id: 7n }], [{ id: 8n }, { id: 9n }]]);
  });

  test("rejects with the broker's failure, every field of it", async () => {
    const fields = {
      mysql: { errno: 1213, sqlState: '40001', name: 'ER_LOCK_DEADLOCK' },
      transaction: 'ended',
      details: { index: 2 },
    };
    await using broker = await StubBroker.start(() => failure(409, 'DEADLOCK', fields));

    const failed: unknown = await clientOf(broker)
      .query('UPDATE t SET a = 1')
      .catch((error: unknown) => error);

    expect(failed).toBeInstanceOf(BrokerError);
    expect(failed).toMatchObject({ code: 'DEADLOCK', requestId: 'r-1', retryable: true, ...fields });
  });

  test.each([
    ['DEADLOCK', false, { code: 'DEADLOCK' }],
    ['SQL_ERROR', true, { code: 'SQL_ERROR' }],
    ['OF_A_LATER_VERSION', true, { code: 'INTERNAL', details: { brokerCode: 'OF_A_LATER_VERSION' } }],
  ])('takes the word of the broker on whether %s can be sent again', async (code, retryable, expected) => {
    await using broker = await StubBroker.start(() => failure(409, code, { retryable }));

    await expect(clientOf(broker).query('SELECT 1')).rejects.toMatchObject({ ...expected, retryable });
  });

  test('rejects with BROKER_UNREACHABLE, outcome unknown, for JSON that is not the protocol', async () => {
    await using broker = await StubBroker.start(() => ({ json: { message: 'Internal Server Error' } }));
    const db = clientOf(broker);
    const unusable = { code: 'BROKER_UNREACHABLE', outcome: 'unknown' };

    await expect(db.query('SELECT 1')).rejects.toMatchObject(unusable);
    broker.answer = () => ({ status: 500, json: { message: 'Internal Server Error' } });
    await expect(db.query('SELECT 1')).rejects.toMatchObject(unusable);
    broker.answer = () => ({ json: '{"columns": [' });
    await expect(db.query('SELECT 1')).rejects.toMatchObject(unusable);
  });
});

describe('arguments that are wrong are INVALID_REQUEST before anything is sent', () => {
  test.each([
    ['empty SQL', { sql: '' }, 'sql must be at least 1 characters'],
    ['a value that cannot go', { params: [Number.NaN] }, 'params[0] is NaN'],
    ['half of a surrogate pair', { params: ['\ud800'] }, 'params.0 must not hold half of a surrogate pair'],
    ['an empty list', { params: [list([])] }, 'must hold at least one value'],
    ['a timeout of nothing', { options: { timeoutMs: 0 } }, 'options.timeoutMs must be at least 1'],
    ['a limit of nothing', { options: { maxRows: 0 } }, 'options.maxRows must be at least 1'],
    ['a misspelt option', { options: { maxrows: 1 } }, 'options has the unknown field "maxrows"'],
  ])('%s', async (_, { sql = 'SELECT 1', params = [], options = {} }: WrongCall, message) => {
    await using broker = await StubBroker.start(answerResult);

    await expect(clientOf(broker).query(sql, params, options)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      outcome: 'not_applied',
      message: expect.stringContaining(message),
    });
    expect(broker.connections).toBe(0);
  });
});

interface WrongCall {
  sql?: string;
  params?: Parameters<ReturnType<typeof clientOf>['query']>[1];
  options?: object;
}
