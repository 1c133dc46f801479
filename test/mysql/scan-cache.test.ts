import { expect, test } from 'vitest';
import { cachedScan } from '../../lib/mysql/scan-cache.ts';
import { parseSqlMode } from '../../lib/mysql/sql-mode.ts';
import { scanStatement } from '../../lib/mysql/statement-scan.ts';

const plain = parseSqlMode('');

test('a statement is read again for each mode that reads it in another way', () => {
  const sql = String.raw`SELECT '\', "a?", ?`;
  for (const text of ['', 'NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES']) {
    const mode = parseSqlMode(text);
    expect(cachedScan(sql, mode)).toEqual(scanStatement(sql, mode));
    expect(cachedScan(sql, mode)).toEqual(scanStatement(sql, mode));
  }
});

test('of many statements at most the last 500 are kept, and those that are used', () => {
  const used = cachedScan('SELECT 0', plain);
  const first = cachedScan('SELECT 1', plain);
  for (let n = 2; n <= 501; n += 1) {
    cachedScan(`SELECT ${n}`, plain);
    expect(cachedScan('SELECT 0', plain)).toBe(used);
  }
  expect(cachedScan('SELECT 1', plain)).not.toBe(first);
});

test('a long statement is not kept', () => {
  const sql = `SELECT '${'x'.repeat(1_000)}'`;
  expect(cachedScan(sql, plain)).not.toBe(cachedScan(sql, plain));
});
