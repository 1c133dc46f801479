import { describe, expect, test } from 'vitest';
import { decodeRows, type RowOptions } from '../../lib/client/rows.ts';
import type { Column, ColumnType } from '../../lib/protocol/query.ts';

const defaults: RowOptions = { rows: 'object', bigint: 'number-or-string', json: 'parsed' };

function column(name: string, type: ColumnType): Column {
  return { name, type, nullable: true, length: 10 };
}

/** One cell, decoded. */
function decode(type: ColumnType, cell: unknown, options: Partial<RowOptions> = {}): unknown {
  const set = { columns: [column('c', type)], rows: [[cell]] };
  const [row] = decodeRows<unknown[]>(set, { ...defaults, ...options, rows: 'array' });
  return row?.[0];
}

describe('rows', () => {
  const set = {
    columns: [column('id', 'INT'), column('name', 'VARCHAR')],
    rows: [
      [1, 'a'],
      [2, null],
    ],
  };

  test('come as objects by column name', () => {
    expect(decodeRows(set, defaults)).toEqual([
      { id: 1, name: 'a' },
      { id: 2, name: null },
    ]);
  });

  test('come as arrays in column order', () => {
    expect(decodeRows(set, { ...defaults, rows: 'array' })).toEqual([
      [1, 'a'],
      [2, null],
    ]);
  });

  test('with two columns of one name come as arrays only', () => {
    const twins = { columns: [column('id', 'INT'), column('id', 'INT')], rows: [[1, 2]] };

    expect(decodeRows(twins, { ...defaults, rows: 'array' })).toEqual([[1, 2]]);
    expect(() => decodeRows(twins, defaults)).toThrow(
      `The result has several columns named "id": rename them with AS, or use rows: 'array'`,
    );
  });

  test('take column names that mean something to JavaScript', () => {
    const names = ['__proto__', 'constructor', 'toString'];
    const odd = { columns: names.map((name) => column(name, 'JSON')), rows: [['{"admin":true}', '1', '2']] };

    const [row = {}] = decodeRows<Record<string, unknown>>(odd, defaults);

    expect(Object.entries(row)).toEqual([
      ['__proto__', { admin: true }],
      ['constructor', 1],
      ['toString', 2],
    ]);
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
    expect('admin' in row).toBe(false);
  });

  test('of a statement without columns are none', () => {
    expect(decodeRows({ columns: [], rows: [] }, defaults)).toEqual([]);
  });
});

describe('BIGINT', () => {
  test.each([
    ['number-or-string', '9007199254740991', 9007199254740991],
    ['number-or-string', '-9007199254740991', -9007199254740991],
    ['number-or-string', '9007199254740992', '9007199254740992'],
    ['number-or-string', '18446744073709551615', '18446744073709551615'],
    ['bigint', '1', 1n],
    ['bigint', '18446744073709551615', 18446744073709551615n],
    ['string', '1', '1'],
  ] as const)('as %s: %s', (bigint, digits, value) => {
    expect(decode('BIGINT', digits, { bigint })).toBe(value);
  });
});

describe('JSON', () => {
  test('comes parsed, or as its text', () => {
    expect(decode('JSON', '{"a": [1, null]}')).toEqual({ a: [1, null] });
    expect(decode('JSON', 'null')).toBeNull();
    expect(decode('JSON', '{"a": 12345678901234567890}', { json: 'text' })).toBe(
      '{"a": 12345678901234567890}',
    );
  });

  test('that is none is refused, naming the column', () => {
    expect(() => decode('JSON', '{')).toThrow(`The column "c" holds text that is not JSON: use json: 'text'`);
  });
});

test.each(['BINARY', 'VARBINARY', 'BLOB', 'GEOMETRY', 'BIT', 'VECTOR'] as const)(
  '%s comes as Uint8Array',
  (type) => {
    const bytes = decode(type, { $bytes: 'AP8=' });

    expect(bytes).toStrictEqual(new Uint8Array([0, 255]));
    expect(bytes instanceof Uint8Array && bytes.buffer.byteLength).toBe(2);
  },
);

test.each([
  ['DECIMAL', '1.10'],
  ['DATETIME', '2026-11-22 10:00:00.000000'],
  ['DATE', '0000-00-00'],
  ['TEXT', '{"$bytes": "no"}'],
  ['DOUBLE', 1.5],
] as const)('%s comes as it is', (type, cell) => {
  expect(decode(type, cell)).toBe(cell);
});

test.each(['BIGINT', 'JSON', 'BLOB', 'INT'] as const)('NULL of %s comes as null', (type) => {
  expect(decode(type, null, { bigint: 'bigint' })).toBeNull();
});
