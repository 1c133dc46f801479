import { expect, test } from 'vitest';
import { decimal, json, list, type ParamValues, toWireParams } from '../../lib/client/params.ts';
import { Params } from '../../lib/protocol/values.ts';

test.each([
  ['null', null, null],
  ['a boolean', true, true],
  ['a number', -1.5, -1.5],
  ['the largest exact integer', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ['the largest double', Number.MAX_VALUE, Number.MAX_VALUE],
  ['text', 'é ? :x', 'é ? :x'],
  ['a bigint', 2n ** 64n - 1n, { $bigint: '18446744073709551615' }],
  ['a Uint8Array', new Uint8Array([0, 255]), { $bytes: 'AP8=' }],
  ['a part of a Buffer', Buffer.from('abcdef').subarray(2, 4), { $bytes: 'Y2Q=' }],
  ['a Date, as UTC', new Date('2026-11-22T23:59:59.007+02:00'), '2026-11-22 21:59:59.007'],
  ['decimal()', decimal('12.50'), { $decimal: '12.50' }],
  ['json() of an object', json({ a: [1, undefined], b: undefined }), { $json: { a: [1, null] } }],
  ['json() of a double', json({ a: 1e300 }), { $json: { a: 1e300 } }],
  ['json() with a Date', json(new Date(0)), { $json: '1970-01-01T00:00:00.000Z' }],
  ['list()', list([1, 2n, null]), { $list: [1, { $bigint: '2' }, null] }],
])('%s goes as the protocol writes it, by position and by name', (_, value, wire) => {
  expect(toWireParams([value])).toEqual([wire]);
  expect(toWireParams({ name: value })).toEqual({ name: wire });
  expect(Params.safeParse([wire]).success).toBe(true);
});

test.each([
  ['undefined', undefined, 'is undefined: pass null for NULL'],
  ['NaN', Number.NaN, 'is NaN, which SQL does not know: pass null for NULL'],
  ['an infinite number', -Infinity, 'is -Infinity, which SQL does not know: pass null for NULL'],
  ['a rounded integer', 2 ** 53, 'is an integer beyond 2^53'],
  ['an invalid Date', new Date('never'), 'is an invalid Date'],
  [
    'a Date that no column can hold',
    new Date('+012026-01-01T00:00:00Z'),
    'is a Date outside of the years 0 to 9999',
  ],
  ['an array', [1, 2], 'is an array: write list([...]) for IN (?), or json([...]) for a JSON column'],
  ['an object', { a: 1 }, 'is an object: write json({...}) for a JSON column'],
  ['an object of one field', { $raw: 'DROP TABLE t' }, 'is an object'],
  ['a tag with company', { $bigint: '1', more: 1 }, 'is an object'],
  ['a Map', new Map(), 'is an object'],
  ['a function', () => 1, 'is a function, which SQL does not know'],
  ['a symbol', Symbol('x'), 'is a symbol, which SQL does not know'],
  [
    'JSON with a rounded integer',
    json({ a: [2 ** 60] }),
    'holds an integer beyond 2^53, where numbers are rounded',
  ],
  ['JSON with a cycle', json(cycle()), 'cannot be written as JSON'],
  ['JSON of nothing', json(undefined), 'cannot be written as JSON'],
])('%s is refused, naming its place', (_, value, problem) => {
  expect(() => toWireParams(asParams([1, value]))).toThrow(`params[1] ${problem}`);
  expect(() => toWireParams(asParams({ id: value }))).toThrow(`params.id ${problem}`);
});

test('a member of a list that cannot go is named by its place in the list', () => {
  expect(() => toWireParams(asParams([list([1, Number.NaN])]))).toThrow('params[0].$list[1] is NaN');
});

test.each([['text'], [42], [null], [new Date()], [new Uint8Array(1)]])('%s is no set of values', (params) => {
  expect(() => toWireParams(asParams(params))).toThrow(
    'params must be an array for ? or an object for :name',
  );
});

test('an empty place of an array counts as undefined', () => {
  expect(() => toWireParams(new Array(1))).toThrow('params[0] is undefined');
});

/** What a caller without TypeScript may pass. */
function asParams(params: unknown): ParamValues {
  return params as ParamValues;
}

function cycle(): object {
  const ring: { self?: object } = {};
  ring.self = ring;
  return ring;
}
