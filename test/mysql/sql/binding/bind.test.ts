import { describe, expect, test } from 'vitest';
import { bindStatement } from '../../../../lib/mysql/sql/binding/bind.ts';
import { parseSqlMode } from '../../../../lib/mysql/sql/lexer/sql-mode.ts';
import { Params } from '../../../../lib/protocol/values.ts';
import { textOf } from '../support/bound-text.ts';

/** Binds values as they come over the wire, checked by the protocol's schema. */
function bind(
  sql: string,
  params?: unknown,
  sqlMode = '',
  place: 'standalone' | 'in_transaction' = 'standalone',
): string {
  const checked = params === undefined ? undefined : Params.parse(params);
  return textOf(bindStatement(sql, checked, parseSqlMode(sqlMode), place));
}

describe('a value', () => {
  test.each([
    [null, 'NULL'],
    [true, 'TRUE'],
    [false, 'FALSE'],
    [0, '0'],
    [-0, '0'],
    [-12.5, '-12.5'],
    [1e-7, '1e-7'],
    [5e-324, '5e-324'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    ['', "''"],
    ["O'Neill", "'O\\'Neill'"],
    ['\\\'"`', "'\\\\\\'\"`'"],
    ['\0\n\r\x1a\t%_', "'\\0\\n\\r\\Z\t%_'"],
    ['été 表 \u{1f600}', "'été 表 \u{1f600}'"],
    ['? :a -- /*', "'? :a -- /*'"],
    [{ $bytes: '' }, "x''"],
    [{ $bytes: 'AP8=' }, "x'00ff'"],
    [{ $bigint: '-9223372036854775808' }, '-9223372036854775808'],
    [{ $bigint: '18446744073709551615' }, '18446744073709551615'],
    [{ $decimal: '-0012.3400' }, '-0012.3400'],
    [{ $json: { a: ["it's", 1, null] } }, `'{"a":["it\\'s",1,null]}'`],
    [{ $json: 'back\\slash' }, `'"back\\\\\\\\slash"'`],
  ])('%j is written as %s', (value, literal) => {
    expect(bind('SELECT ?', [value])).toBe(`SELECT ${literal}`);
  });

  test.each([
    ["O'Neill \\ \0\n", "'O''Neill \\ \0\n'"],
    ["\\'; DROP TABLE t -- ", "'\\''; DROP TABLE t -- '"],
    [{ $json: 'a\\b' }, `'"a\\\\b"'`],
  ])('%j is written without backslash escapes as %s', (value, literal) => {
    expect(bind('SELECT ?', [value], 'NO_BACKSLASH_ESCAPES')).toBe(`SELECT ${literal}`);
  });

  test.each([
    ['SELECT N?', 'a', "SELECT N 'a'"],
    ['SELECT x?', 'a', "SELECT x 'a'"],
    ["SELECT 'a'?", 'b', "SELECT 'a' 'b'"],
    ["SELECT ?'a'", 'b', "SELECT 'b' 'a'"],
    ['SELECT 1?', 5, 'SELECT 1 5'],
    ['SELECT ?1', 5, 'SELECT 5 1'],
    ['SELECT 1.?', 5, 'SELECT 1. 5'],
    ['SELECT ?e5', 5, 'SELECT 5 e5'],
    ['SELECT @?', 'a', "SELECT @ 'a'"],
    ['SELECT é?é', 'a', "SELECT é 'a' é"],
    ['SELECT \u00a0?', 5, 'SELECT \u00a0 5'],
    ['SELECT 1-?', -5, 'SELECT 1--5'],
    ['SELECT 1 --?', 5, 'SELECT 1 --5'],
    ['SELECT 1 /*!?*/', 50101, 'SELECT 1 /*! 50101 */'],
    ['SELECT (?)', 5, 'SELECT (5)'],
    ['SELECT ?', 5, 'SELECT 5'],
  ])('in %s does not grow together with its neighbours', (sql, value, bound) => {
    expect(bind(sql, [value], '', 'in_transaction')).toBe(bound);
  });
});

describe('a list', () => {
  test('fills the parentheses of IN', () => {
    const list = [1, "it's", null, true, { $bigint: '5' }, { $bytes: 'AA==' }];
    expect(bind('SELECT 1 IN (?)', [{ $list: list }])).toBe(
      "SELECT 1 IN (1, 'it\\'s', NULL, TRUE, 5, x'00')",
    );
    expect(bind('SELECT 1 IN(:l)', { l: { $list: [1] } })).toBe('SELECT 1 IN(1)');
  });

  test.each(['SELECT ?', 'SELECT 1 IN (1, ?)', 'SELECT f(?)', 'INSERT INTO t VALUES (?)'])(
    'is refused in %s',
    (sql) => {
      expect(() => bind(sql, [{ $list: [1] }])).toThrow(
        '$list stands only in IN (?), alone in the parentheses',
      );
    },
  );
});

describe('values and placeholders', () => {
  test.each([
    ['SELECT ?', [5], 'SELECT 5'],
    ['SELECT 1', undefined, 'SELECT 1'],
    ['SELECT 1', [], 'SELECT 1'],
    ['SELECT 1', {}, 'SELECT 1'],
    ['SELECT :b, :a, :b', { a: 1, b: 2 }, 'SELECT 2, 1, 2'],
    ["SELECT ':a', '?', :a", { a: 1 }, "SELECT ':a', '?', 1"],
    ['SELECT :a, ?', { a: 1 }, 'SELECT 1, ?'],
    ['SELECT :a, ?', [1], 'SELECT :a, 1'],
    ['SELECT ?, ?', ['?', 'b'], "SELECT '?', 'b'"],
    ['SELECT :a, :b', { a: ':b', b: 1 }, "SELECT ':b', 1"],
    ['SELECT ? -- why?\n, ?', [1, 2], 'SELECT 1 -- why?\n, 2'],
    ['SELECT ?; -- end', [1], 'SELECT 1'],
    [
      'CREATE PROCEDURE p() BEGIN l:LOOP LEAVE l; END LOOP; END;',
      undefined,
      'CREATE PROCEDURE p() BEGIN l:LOOP LEAVE l; END LOOP; END',
    ],
  ])('of %s with %j make %s', (sql, params, bound) => {
    expect(bind(sql, params)).toBe(bound);
  });

  test.each([
    [
      'SELECT ?, ?',
      ['secret', 'secret', 'secret'],
      'the statement has 2 placeholders, but 3 values were given',
    ],
    ['SELECT ?', [], 'the statement has 1 placeholder, but 0 values were given'],
    ['SELECT ?', undefined, 'the statement has 1 placeholder, but 0 values were given'],
    ['SELECT 1', ['secret'], 'the statement has 0 placeholders, but 1 value was given'],
    ["SELECT '?'", ['secret'], 'the statement has 0 placeholders, but 1 value was given'],
    ['SELECT :a, :b', { a: 'secret' }, 'no value for :b'],
    ['SELECT :a', undefined, 'no value for :a'],
    ['SELECT :toString', {}, 'no value for :toString'],
    ['SELECT :a', { a: 'secret', foo: 'secret' }, ':foo is not in the statement'],
    ['SELECT ?', { foo: 'secret' }, ':foo is not in the statement'],
  ])('of %s with %j do not match', (sql, params, message) => {
    expect(() => bind(sql, params)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST', message }));
  });
});

describe('a value in an executable comment', () => {
  test('is bound', () => {
    expect(bind('SELECT 1 /*!50101 + ? */', [5])).toBe('SELECT 1 /*!50101 + 5 */');
  });

  test.each(['*/ OR 1 = 1', '/*'])('is refused where it could change the comment: %s', (value) => {
    expect(() => bind('SELECT 1 /*!99999 + ? */', [value])).toThrow(
      'a value that holds /* or */ cannot stand in an executable comment',
    );
    expect(() => bind('SELECT 1 /*!99999 + ? */', [{ $json: [value] }])).toThrow('executable comment');
  });
});

test.each([
  ['SELECT 1; SELECT 2', 'STATEMENT_NOT_ALLOWED', 'one statement per call'],
  ['COMMIT', 'STATEMENT_NOT_ALLOWED', 'COMMIT is not allowed'],
  [" SET @a = 1, sql_mode = ''", 'STATEMENT_NOT_ALLOWED', 'SET of sql_mode is not allowed'],
  ['SAVEPOINT a', 'STATEMENT_NOT_ALLOWED', 'SAVEPOINT is allowed only inside a transaction'],
  ["SELECT 'a", 'INVALID_REQUEST', 'the statement cannot be read: a quoted text is not closed'],
  ['-- nothing', 'INVALID_REQUEST', 'the statement is empty'],
])('%j is refused as %s: %s', (sql, code, message) => {
  expect(() => bind(sql)).toThrow(expect.objectContaining({ code, message, outcome: 'not_applied' }));
});

test.each([
  ['COMMIT', 'COMMIT is not allowed'],
  ['CREATE TABLE t (a INT)', 'CREATE TABLE commits by itself and is allowed only outside a transaction'],
  ['GLUB', 'a statement that the broker does not know is allowed only outside a transaction'],
])('inside a transaction %j is refused: %s', (sql, message) => {
  expect(() => bind(sql, undefined, '', 'in_transaction')).toThrow(
    expect.objectContaining({ code: 'STATEMENT_NOT_ALLOWED', message }),
  );
});
