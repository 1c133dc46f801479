import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parseSqlMode } from '../../../lib/mysql/sql/lexer/sql-mode.ts';
import { cachedScan } from '../../../lib/mysql/sql/scan-cache.ts';
import { scanStatement } from '../../../lib/mysql/sql/statement-scan.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

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

test('of a long text only the short part that was cut out of it is kept', async () => {
  const program = `
    import { bindStatement } from './lib/mysql/sql/binding/bind.ts';
    import { parseSqlMode } from './lib/mysql/sql/lexer/sql-mode.ts';
    const mode = parseSqlMode('');
    const heapUsed = () => (gc(), process.memoryUsage().heapUsed);
    const before = heapUsed();
    for (let n = 0; n < 50; n += 1) {
      const sql = \`PREPARE s FROM 'SELECT :one + \${n}' /*\${String(n).repeat(500_000)}*/\`;
      bindStatement(JSON.parse(JSON.stringify(sql)), undefined, mode, 'in_transaction');
    }
    console.log(heapUsed() - before);`;
  const args = ['--expose-gc', '--import', 'tsx', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  expect(Number(stdout)).toBeLessThan(5_000_000);
});
