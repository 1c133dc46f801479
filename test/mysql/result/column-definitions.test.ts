import { expect, test } from 'vitest';
import { type ColumnSet, ColumnSetReader } from '../../../lib/mysql/result/column-definitions.ts';

/** ColumnDefinition41 of an INT, as the server sends it. */
function definition(name: string, extension: Buffer = Buffer.of()): Buffer {
  const texts = ['def', 'app', 't', 't', name, name].flatMap((text) => {
    const bytes = Buffer.from(text);
    return [Buffer.of(bytes.length), bytes];
  });
  const fixed = Buffer.of(0x0c, 63, 0, 11, 0, 0, 0, 3, 1, 0, 0, 0, 0);
  return Buffer.concat([...texts, extension, fixed]);
}

function read(definitions: readonly Buffer[], isExtended = false): ColumnSet {
  const reader = new ColumnSetReader(definitions.length, isExtended);
  const sets = definitions.map((buffer) => reader.add({ buffer, offset: 0, end: buffer.length }));
  const last = sets.pop();
  expect(sets).toEqual(sets.map(() => undefined));
  if (last === undefined) throw new Error('the last definition ends no set');
  return last;
}

const names = ({ json }: ColumnSet) => JSON.parse(json.toString()).map(({ name }: { name: string }) => name);

test('the same definitions are read once', () => {
  const [one, other] = ['id', 'näme 😀'].map((name) => definition(name));
  if (one === undefined || other === undefined) throw new Error('no definitions');
  const set = read([one, other]);
  expect(names(set)).toEqual(['id', 'näme 😀']);
  expect(read([one, other])).toBe(set);
});

test('definitions that differ in one byte are another set', () => {
  const changed = definition('same');
  const type = changed.length - 6;
  changed[type] = 8;
  expect(read([definition('same')]).encodings).toEqual(['number']);
  expect(read([changed]).encodings).toEqual(['text']);
});

test('the same bytes with and without the metadata of MariaDB are two sets', () => {
  const json = Buffer.from([6, 1, 4, ...Buffer.from('json')]);
  expect(JSON.parse(read([definition('d', json)], true).json.toString())).toMatchObject([{ type: 'JSON' }]);
  expect(() => read([definition('d', json)])).toThrow();
});

test('a definition that ends within a field is refused instead of read on', () => {
  const cut = definition('id').subarray(0, -3);
  expect(() => read([cut])).toThrow('ends within a field');
});

test('a set that nobody asked for lately is read anew: memory stays bounded', () => {
  const first = read([definition('first')]);
  for (let other = 0; other < 600; other += 1) read([definition(`other ${other}`)]);
  const again = read([definition('first')]);
  expect(again).not.toBe(first);
  expect(again).toEqual(first);
});
