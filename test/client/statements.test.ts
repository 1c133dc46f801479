import { describe, expect, test } from 'vitest';
import { connect, json, list } from '../../lib/index.ts';
import { failure, StubBroker } from '../support/stub-broker.ts';
import { RESULT } from './support/transaction-stub.ts';

const clientOf = (broker: StubBroker) => connect({ url: broker.url.href, key: 'k' });
const bodyOf = (broker: StubBroker): unknown => JSON.parse(broker.seen[0]?.body ?? '');

describe('batch()', () => {
  const results = [
    { affectedRows: 1, changedRows: 1, insertId: '8' },
    { affectedRows: 1, changedRows: 1, insertId: '9' },
  ];

  test('sends every set of values and returns what each changed', async () => {
    await using broker = await StubBroker.start(() => ({ json: { results } }));

    const sets = [[1n, new Uint8Array([1])], { name: json({ a: 1 }) }];
    expect(await clientOf(broker).batch('INSERT', sets, { timeoutMs: 900 })).toEqual(results);

    expect(broker.seen[0]?.path).toBe('/v1/databases/default/batch');
    expect(Number(broker.seen[0]?.headers['x-timeout-ms'])).toBeLessThanOrEqual(900);
    expect(bodyOf(broker)).toEqual({
      sql: 'INSERT',
      paramSets: [[{ $bigint: '1' }, { $bytes: 'AQ==' }], { name: { $json: { a: 1 } } }],
    });
  });

  test('rejects with the failure of the set that the broker names', async () => {
    await using broker = await StubBroker.start(() =>
      failure(409, 'DUPLICATE_KEY', { details: { index: 1 } }),
    );

    await expect(clientOf(broker).batch('INSERT', [[1], [1]])).rejects.toMatchObject({
      code: 'DUPLICATE_KEY',
      details: { index: 1 },
    });
  });

  test.each([
    ['no set', [], 'paramSets must be at least 1 items'],
    ['more sets than 1000', Array.from({ length: 1_001 }, () => []), 'paramSets must be at most 1000 items'],
    ['a value that cannot go', [[1], [Number.NaN]], 'paramSets[1][0] is NaN'],
  ])('refuses %s before anything is sent', async (_, sets, message) => {
    await using broker = await StubBroker.start(() => ({ json: { results } }));

    await expect(clientOf(broker).batch('INSERT', sets)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining(message),
    });
    expect(broker.connections).toBe(0);
  });
});

describe('transaction([...])', () => {
  interface Order {
    readonly id: number;
  }

  test('sends all statements at once and returns the result of each, by its place', async () => {
    await using broker = await StubBroker.start(() => ({
      json: { results: [{ ...RESULT, columns: [], rows: [], insertId: '3' }, RESULT] },
    }));

    const [inserted, read] = await clientOf(broker).transaction(
      [
        { sql: 'INSERT', params: [list([1n])], expect: { affectedRows: 1 } },
        { sql: 'SELECT', maxRows: 5 },
      ],
      { isolation: 'read committed', readOnly: false },
    );

    expect([inserted.insertId, read.rows]).toEqual(['3', [{ id: 7 }]]);
    expect(broker.seen[0]?.path).toBe('/v1/databases/default/transaction');
    expect(bodyOf(broker)).toEqual({
      statements: [
        { sql: 'INSERT', params: [{ $list: [{ $bigint: '1' }] }], expect: { affectedRows: 1 } },
        { sql: 'SELECT', maxRows: 5 },
      ],
      isolation: 'read committed',
      readOnly: false,
    });
  });

  test("takes the caller's word for the rows of each statement", async () => {
    await using broker = await StubBroker.start(() => ({ json: { results: [RESULT, RESULT] } }));

    const [first, second] = await clientOf(broker).transaction<[Order, { other: string }]>([
      { sql: 'SELECT id FROM a' },
      { sql: 'SELECT other FROM b' },
    ]);

    const order: Order | undefined = first.rows[0];
    // @ts-expect-error: the second statement's rows have no id.
    expect([order?.id, second.rows[0]?.id]).toEqual([7, 7]);
  });

  test('rejects with EXPECTATION_FAILED as the broker tells it, without another try', async () => {
    await using broker = await StubBroker.start(() =>
      failure(409, 'EXPECTATION_FAILED', { details: { index: 0 } }),
    );

    const failed = clientOf(broker).transaction([{ sql: 'UPDATE', expect: { affectedRows: 1 } }]);

    await expect(failed).rejects.toMatchObject({ code: 'EXPECTATION_FAILED', details: { index: 0 } });
    expect(broker.seen).toHaveLength(1);
  });

  const NOTHING: object = {};
  test.each([
    ['no statement', [], {}, 'statements must be at least 1 items'],
    ['a value that cannot go', [{ sql: 'S', params: [Number.NaN] }], {}, 'statements[0].params[0] is NaN'],
    ['a misspelt field', [{ sql: 'S', expects: 1 }], {}, 'statements.0 has the unknown field "expects"'],
    ['a misspelt option', [{ sql: 'S' }], { readonly: true }, 'options has the unknown field "readonly"'],
    ['a statement that is none', [null], {}, 'statements.0 must be an object'],
    ['what is neither statements nor a callback', NOTHING, {}, 'statements must be an array'],
  ])('refuses %s before anything is sent', async (_, statements: object, options: object, message) => {
    await using broker = await StubBroker.start(() => ({ json: { results: [] } }));

    await expect(
      clientOf(broker).transaction(statements as { sql: string }[], options),
    ).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining(message),
    });
    expect(broker.connections).toBe(0);
  });
});
