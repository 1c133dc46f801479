import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { type BrokerClient, connect, json, list, type QueryResult } from '../../lib/index.ts';

beforeEach(() => {
  vi.stubEnv('BROKER_URL', '');
  vi.stubEnv('BROKER_KEY', '');
  vi.stubEnv('BROKER_KEY_SECRET', '');
});

afterEach(() => vi.unstubAllEnvs());

const url = 'http://127.0.0.1:8080';

describe('connect()', () => {
  test.each([
    [{}, 'No broker is named: pass url or set BROKER_URL'],
    [{ url: 'broker:8080' }, "The broker's URL must begin with http:// or https://"],
    [{ url: 'no url' }, "The broker's URL must begin with http:// or https://"],
    [{ url: 'http://me:hidden@broker' }, "The broker's URL must be scheme, host, port and path only"],
    [{ url, key: 'hidden\nvalue' }, 'The caller key must be visible ASCII characters without spaces'],
    [{ url, database: 'Not An Alias' }, 'options.database must begin with a-z'],
    [{ url, timeoutMs: -1 }, 'options.timeoutMs must be at least 1'],
    [{ url, timeoutMs: 2 ** 31 }, 'options.timeoutMs must be at most 86400000'],
    [{ url, timoutMs: 1 }, 'options has the unknown field "timoutMs"'],
  ])('refuses %j', (options, message) => {
    expect(() => connect(options)).toThrow(message);
    expect(() => connect(options)).not.toThrow('hidden');
    expect(() => connect(options)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });

  test('takes URL and key from the environment', () => {
    vi.stubEnv('BROKER_URL', url);

    expect(() => connect()).not.toThrow();
  });

  test('makes a client that does not show its key', () => {
    expect(inspect(connect({ url, key: 'hidden' }), { depth: 9, showHidden: true })).not.toContain('hidden');
  });

  test('refuses an alias for database() that no broker can have', () => {
    expect(() => connect({ url }).database('../admin')).toThrow('database must begin with a-z');
  });
});

test('types: rows are what the caller says, else what the shape says; parameters are values only', () => {
  const db = connect({ url });
  expectTypeOf(db).toEqualTypeOf<BrokerClient<'object'>>();
  expectTypeOf(connect({ url, rows: 'array' })).toEqualTypeOf<BrokerClient<'array'>>();

  interface User {
    id: number;
    name: string | null;
  }
  expectTypeOf(db.query<User>).returns.resolves.toEqualTypeOf<QueryResult<User>>();
  expectTypeOf(() => db.query('SELECT 1')).returns.resolves.toEqualTypeOf<
    QueryResult<Record<string, unknown>>
  >();
  const arrays = connect({ url, rows: 'array' });
  expectTypeOf(() => arrays.query('SELECT 1')).returns.resolves.toEqualTypeOf<QueryResult<unknown[]>>();
  expectTypeOf(arrays.query<[number, string]>).returns.resolves.toEqualTypeOf<
    QueryResult<[number, string]>
  >();

  type Params = Parameters<typeof db.query>[1];
  expectTypeOf([
    1,
    'a',
    null,
    true,
    1n,
    new Date(),
    new Uint8Array(1),
    list([1, 2n]),
    json({ a: 1 }),
  ]).toExtend<Params>();
  expectTypeOf({ id: 1 }).toExtend<Params>();
  expectTypeOf<{ id: undefined }>().not.toExtend<Params>();
  expectTypeOf<number[][]>().not.toExtend<Params>();
  expectTypeOf<{ a: number }[]>().not.toExtend<Params>();
});
