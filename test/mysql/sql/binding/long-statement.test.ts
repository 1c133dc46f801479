import { describe, expect, test } from 'vitest';
import { bindStatement } from '../../../../lib/mysql/sql/binding/bind.ts';
import { parseSqlMode } from '../../../../lib/mysql/sql/lexer/sql-mode.ts';
import type { Param, Params } from '../../../../lib/protocol/values.ts';
import { fc } from '../../../support/random.ts';
import { textOf } from '../support/bound-text.ts';

const LONG = 300_000;

describe.each(['', 'NO_BACKSLASH_ESCAPES'])('under sql_mode "%s"', (sqlMode) => {
  const mode = parseSqlMode(sqlMode);

  test.each<[string, string, Params]>([
    ['quotes', 'SELECT ?, ?', ["'".repeat(LONG), 1]],
    ['escapes', 'SELECT ?', ['\\\n\0'.repeat(LONG)]],
    ['surrogate pairs', 'SELECT ?', [`x${'\u{1f600}'.repeat(LONG)}`]],
    ['a long document', 'SELECT ?', [{ $json: 'x'.repeat(LONG) }]],
    ['long bytes', 'SELECT ?', [{ $bytes: 'AAAA'.repeat(LONG) }]],
    ['many values', `SELECT ${'?,'.repeat(5_000)}?`, new Array<Param>(5_001).fill("it's")],
    ['a long list', 'SELECT 1 IN (?)', [{ $list: new Array<string>(50_000).fill("it's") }]],
    ['a list of long texts', 'SELECT 1 IN (?)', [{ $list: ['a'.repeat(LONG), "'".repeat(LONG)] }]],
    ['a name in many places', `SELECT ${':a,'.repeat(5_000)}:b`, { a: 'x'.repeat(1_000), b: 1 }],
    ['no placeholder', 'SELECT 1', {}],
  ])('%s are written in parts as they are at once', async (_, sql, params) => {
    const bound = bindStatement(sql, params, mode, 'standalone');
    expect(bound.isLong).toBe(sql !== 'SELECT 1');
    expect(textOf({ text: await bound.textInTurns() })).toBe(textOf(bound));
  });

  test('whatever the values are, so is every other statement', async () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }).filter((text) => !/\p{Surrogate}/u.test(text)),
      fc.integer(),
      fc.constant(null),
      fc.record({ $list: fc.array(fc.integer(), { minLength: 1 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(value), async (params) => {
        const sql = `SELECT 1 ${params.map(() => 'IN (?)').join(' ')}`;
        const bound = bindStatement(sql, params, mode, 'standalone');
        expect(textOf({ text: await bound.textInTurns() })).toBe(textOf(bound));
      }),
    );
  });
});
