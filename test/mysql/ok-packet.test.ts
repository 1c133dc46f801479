import { expect, test } from 'vitest';
import { readOkPacket } from '../../lib/mysql/ok-packet.ts';

const AUTOCOMMIT = 2;
const STATE_CHANGED = 0x4000;

interface Parts {
  readonly affectedRows?: readonly number[];
  readonly insertId?: readonly number[];
  readonly status?: number;
  readonly rest?: readonly number[];
}

function ok(
  { affectedRows = [0], insertId = [0], status = AUTOCOMMIT, rest = [] }: Parts,
  tracksSession = true,
) {
  const head = [0, ...affectedRows, ...insertId, status & 0xff, status >> 8, 3, 0];
  const buffer = Buffer.from([...head, ...rest]);
  return readOkPacket({ buffer, offset: 0, end: buffer.length }, tracksSession);
}

const text = (value: string) => [value.length, ...Buffer.from(value)];

test.each([
  ['one byte', [250], 250],
  ['two bytes', [0xfc, 0xfb, 0], 251],
  ['three bytes', [0xfd, 0, 0, 1], 65_536],
  ['eight bytes', [0xfe, 0, 0, 0, 1, 0, 0, 0, 0], 16_777_216],
])('a count in %s is read', (_, affectedRows, expected) => {
  expect(ok({ affectedRows }).affectedRows).toBe(expected);
});

test('an id beyond 2^53 is exact, also where a signed reading would be negative', () => {
  const largest = [0xfe, 255, 255, 255, 255, 255, 255, 255, 255];
  expect(ok({ insertId: largest }).insertId).toBe(18_446_744_073_709_551_615n);
  expect(ok({ insertId: [0xfe, 0, 0, 0, 0, 0, 0, 0x20, 0] }).insertId).toBe(9_007_199_254_740_992n);
});

test('changed rows are told by the text, with and without session tracking', () => {
  const info = 'Rows matched: 7  Changed: 5  Warnings: 0';
  expect(ok({ rest: text(info) })).toMatchObject({ changedRows: 5, warnings: 3 });
  expect(ok({ rest: [...Buffer.from(info)] }, false)).toMatchObject({ changedRows: 5 });
  expect(ok({})).toMatchObject({ changedRows: 0, changesDatabase: false });
});

test('a change of the default database is found among the other changes', () => {
  const variable = [...text('autocommit'), ...text('ON')];
  const changes = [0, variable.length, ...variable, 1, 6, ...text('other')];
  const rest = [...text(''), changes.length, ...changes];
  expect(ok({ status: STATE_CHANGED, rest }).changesDatabase).toBe(true);
  const others = [0, variable.length, ...variable];
  const without = [...text(''), others.length, ...others];
  expect(ok({ status: STATE_CHANGED, rest: without }).changesDatabase).toBe(false);
});
