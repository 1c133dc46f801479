import { expect, test } from 'vitest';
import { SessionTracker } from '../../../lib/mysql/driver/session-tracker.ts';
import { readOkPacket } from '../../../lib/mysql/result/ok-packet.ts';

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

test('the text for people is read with and without session tracking', () => {
  const info = 'Rows matched: 7  Changed: 5  Warnings: 0';
  expect(ok({ rest: text(info) })).toMatchObject({ info, warnings: 3 });
  expect(ok({ rest: [...Buffer.from(info)] }, false)).toMatchObject({ info });
  expect(ok({})).toMatchObject({ info: '', changes: undefined });
});

const AUTOCOMMIT_ON = ['autocommit', 'ON'] as const;

/** Each a variable and its value, or a database. */
function tracked(...changes: readonly (readonly string[])[]): Parts {
  const bytes = changes.flatMap((texts) => {
    const change = texts.flatMap(text);
    return [texts.length === 2 ? 0 : 1, change.length, ...change];
  });
  return { status: STATE_CHANGED, rest: [...text(''), bytes.length, ...bytes] };
}

test.each([
  ['another database', tracked(AUTOCOMMIT_ON, ['other']), true],
  ['another character set', tracked(AUTOCOMMIT_ON, ['character_set_client', 'gbk']), true],
  ['our character set', tracked(['character_set_client', 'utf8mb4'], AUTOCOMMIT_ON), false],
  ['another character set of what the server sends', tracked(['character_set_results', 'gbk']), true],
  ['variables', tracked(AUTOCOMMIT_ON, AUTOCOMMIT_ON), false],
])('%s among what the session tracker reports is found', (_, parts, expected) => {
  const session = new SessionTracker();
  session.noteOk(ok(parts));
  expect(session.isUnusable).toBe(expected);
});
