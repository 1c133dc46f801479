import { expect, test } from 'vitest';
import { QuickReads } from '../../../lib/broker/databases/quick-reads.ts';
import { bindStatement } from '../../../lib/mysql/sql/binding/bind.ts';
import { parseSqlMode } from '../../../lib/mysql/sql/lexer/sql-mode.ts';
import { PoolSettings } from '../../../lib/settings/settings.ts';

const MODE = parseSqlMode('');
const bound = (sql: string) => bindStatement(sql, undefined, MODE, 'standalone');
const quickReads = (pool: object = {}) => new QuickReads(PoolSettings.parse(pool));

let names = 0;
/** A text of its own for each test: what is known of one is kept beside its scan. */
function aRead(): ReturnType<typeof bound> {
  names += 1;
  return bound(`SELECT n FROM numbers WHERE name = 'read ${names}'`);
}

function note(reads: QuickReads, read: ReturnType<typeof bound>, durationMs: number, times = 1): void {
  for (let left = times; left > 0; left -= 1) reads.note(read, durationMs);
}

test('a text is quick after ten runs that were, whoever sends it', () => {
  const reads = quickReads();
  const read = aRead();
  note(reads, read, 1, 9);
  expect(reads.isQuick(read)).toBe(false);
  note(reads, read, 1);
  expect(reads.isQuick(read)).toBe(true);
  expect(reads.isQuick(bound(`SELECT n FROM numbers WHERE name = 'read ${names}'`))).toBe(true);
  expect(reads.isQuick(aRead())).toBe(false);
  expect(quickReads().isQuick(read)).toBe(false);
});

test('one that turned slow is not quick any more, until it was quick some hundred times', () => {
  const reads = quickReads();
  const read = aRead();
  note(reads, read, 1, 1_000);
  note(reads, read, 200, 3);
  expect(reads.isQuick(read)).toBe(false);
  note(reads, read, 1, 50);
  expect(reads.isQuick(read)).toBe(false);
  note(reads, read, 1, 100);
  expect(reads.isQuick(read)).toBe(true);
});

test('below what would hold others up, a run that took too long counts only if it was behind another one', () => {
  const reads = quickReads();
  const read = aRead();
  note(reads, read, 10, 100);
  expect(reads.isQuick(read)).toBe(false);
  note(reads, read, 1, 100);
  note(reads, read, 10, 100);
  expect(reads.isQuick(read)).toBe(true);
  for (let left = 3; left > 0; left -= 1) reads.note(read, 10, true);
  expect(reads.isQuick(read)).toBe(false);
});

test.each([
  [300, true],
  [50, false],
])('with one slow run in %i it is quick most of the time: %s', (every, expected) => {
  const reads = quickReads();
  const read = aRead();
  let quick = 0;
  for (let run = 1; run <= 3_000; run += 1) {
    reads.note(read, run % every === 0 ? 200 : 1);
    quick += Number(reads.isQuick(read));
  }
  expect(quick > 2_500).toBe(expected);
  expect(quick < 500).toBe(!expected);
});

test.each([
  ['what does not only read', {}, 'UPDATE numbers SET n = 1'],
  ['what is too long to be known again', {}, `SELECT n FROM numbers WHERE name = '${'x'.repeat(1_000)}'`],
  ['anything where maxPipelined is 1', { maxPipelined: 1 }, 'SELECT 1 AS one'],
  ['anything where each call wants a reset', { resetOnCheckin: 'always' }, 'SELECT 1 AS one'],
  ['anything where each call wants a rollback', { resetOnCheckin: 'rollback' }, 'SELECT 1 AS one'],
])('%s is never quick', (_, pool, sql) => {
  const reads = quickReads(pool);
  for (let left = 100; left > 0; left -= 1) reads.note(bound(sql), 1);
  expect(reads.isQuick(bound(sql))).toBe(false);
});
