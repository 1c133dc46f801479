import { describe, expect, test } from 'vitest';
import { bindStatement } from '../../../lib/mysql/sql/binding/bind.ts';
import { parseSqlMode } from '../../../lib/mysql/sql/lexer/sql-mode.ts';
import { scanStatement } from '../../../lib/mysql/sql/statement-scan.ts';

/** The text with each placeholder in guillemets: what a reader checks at a glance. */
function marked(sql: string, sqlMode = ''): string {
  const { placeholders, unreadable } = scanStatement(sql, parseSqlMode(sqlMode));
  expect(unreadable).toBeUndefined();
  let written = 0;
  let text = '';
  for (const { start, end } of placeholders) {
    text += `${sql.slice(written, start)}«${sql.slice(start, end)}»`;
    written = end;
  }
  return text + sql.slice(written);
}

function scan(sql: string, sqlMode = '') {
  return scanStatement(sql, parseSqlMode(sqlMode));
}

describe('placeholders', () => {
  test.each([
    ['SELECT «?», «?»'],
    ['SELECT «:a», «:_b2» FROM t WHERE x=«:a» AND y IN(«:list»)'],
    ['SELECT @a:=«?», @b:=«:b»'],
    ["SELECT a->'$.x', a->>'$.?' FROM t WHERE b = «?»"],
    ['SELECT «?»«?»'],
    ['SELECT «:na$me», «:né», «:größe»,«:表»,«:😀a», «:2nd», :1, 5«?», t.«?»'],
    ["SELECT N'?', _utf8mb4'?', x'ab', b'01', 0x1f, 1e5, «?»"],
    ['SELECT @`?`, @\'?\', @"?", @@sql_mode, @a.b$«?»'],
    ['SELECT 1a, $x, été, 表, «?»'],
    ['SELECT /* ? */ «?» -- ?\n, «?» # ? \' "\n, «?»'],
    ['SELECT 1 --«?»'],
    ['SELECT 1 --«:a»\n'],
    ['SELECT «?» --'],
    ['SELECT «?» --\t?'],
    ['SELECT «?» --\u0001?'],
    ['SELECT «?» --\u007f?'],
    ['SELECT «?» --\u00a0«?»'],
    ['SELECT /**/ «?» /***/ «?» /*/ ? */'],
    ['SELECT /*+ MAX_EXECUTION_TIME(?) QB_NAME(`?`) */ «?»'],
    ['SELECT /*! «?», */ /*!50101 «?», */ /*M!100100 «?», */ /*!123«?»*/'],
    ["SELECT /*! '?' /* ? */ «?» */ «?»"],
    ['SELECT # ?\r still ?\n «?»'],
    ['SELECT \'it\'\'s ?\', "say ""?""", `tick``?`, «?»'],
    ['SELECT `\\`, «?», `\\`'],
    ['lbl: LOOP'],
    ['SELECT a::b, «:c», a:::d, a ::e, : f'],
    ["SELECT '\u{1f600}?', «?»"],
  ])('are found in %s', (expected) => {
    expect(marked(expected.replace(/[«»]/g, ''))).toBe(expected);
  });

  test.each([
    ['', "SELECT '\\'?', «?»"],
    ['', 'SELECT "\\"?", «?»'],
    ['', "SELECT '\\\\', «?»"],
    ['NO_BACKSLASH_ESCAPES', "SELECT '\\', «?», '?'"],
    ['NO_BACKSLASH_ESCAPES', 'SELECT "\\", «?», "?"'],
    ['ANSI_QUOTES', 'SELECT "\\", «?», "?"'],
    ['ANSI_QUOTES', "SELECT '\\'?', «?»"],
    ['ANSI_QUOTES,NO_BACKSLASH_ESCAPES', 'SELECT \'\\\', "?", «?»'],
    ['ANSI', 'SELECT "\\", «?», "?"'],
  ])('are found as sql_mode "%s" reads %s', (sqlMode, expected) => {
    expect(marked(expected.replace(/[«»]/g, ''), sqlMode)).toBe(expected);
  });

  test.each([
    'CREATE PROCEDURE p() lp:LOOP LEAVE lp; END LOOP',
    'CREATE PROCEDURE p() BEGIN a:BEGIN END; `b c` :while 0 DO SET @a = 1; END WHILE; END',
    "CREATE DEFINER=`a b`@'%' PROCEDURE p() été:REPEAT SET @a = 1; UNTIL 1 END REPEAT",
    'CREATE PROCEDURE p() f:FOR i IN 1..2 DO SELECT i; END FOR',
  ])('are no labels in a stored program: %s', (sql) => {
    expect(marked(sql)).toBe(sql);
    for (const params of [undefined, {}, []]) {
      expect(bindStatement(sql, params, parseSqlMode(''), 'standalone').text.toString()).toBe(sql);
    }
  });

  test.each([
    'CREATE EVENT e ON SCHEDULE EVERY «:n» DAY DO lp:LOOP SELECT «:begin»; LEAVE lp; END LOOP',
    'CREATE PROCEDURE p() SELECT a FROM t LIMIT «:loop»',
    'SELECT lp«:loop»',
  ])('are found beside labels: %s', (expected) => {
    expect(marked(expected.replace(/[«»]/g, ''))).toBe(expected);
  });

  test('carry their names', () => {
    expect(scan('SELECT ?, :a, :b_2').placeholders.map(({ name }) => name)).toEqual([undefined, 'a', 'b_2']);
  });

  test.each([
    ['a IN (?)', [true]],
    ['a NOT in /* list */ ( -- here\n ? /*!50000 */ )', [true]],
    ['a IN (:list)', [true]],
    ['a IN (?, ?)', [false, false]],
    ['a IN ((?))', [false]],
    ['a IN (-?)', [false]],
    ['a IN (? + 1)', [false]],
    ['a IN (SELECT ?)', [false]],
    ['`IN` (?)', [false]],
    ['éIN (?)', [false]],
    ['f(?)', [false]],
    ['a = ?', [false]],
    ['a IN (?) AND b = ? AND c IN (?)', [true, false, true]],
  ])('stand in a list where they are alone in the parentheses of IN: %s', (condition, expected) => {
    const { placeholders } = scan(`SELECT * FROM t WHERE ${condition}`);
    expect(placeholders.map(({ isInList }) => isInList)).toEqual(expected);
  });
});

describe('one statement', () => {
  test.each([
    'SELECT 1;',
    'SELECT 1 ; ;; -- end',
    'SELECT 1; /* end */ # end',
    'SELECT \';\', `;`, ";" /* ; */ -- ;',
    'CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END;',
    "create or replace definer='a'@'%' procedure p() begin commit; end",
    'CREATE DEFINER = `root`@`localhost` TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET @a = 1; END',
    "create definer = 'an admin'@'%' procedure p() begin select 1; end",
    'CREATE DEFINER=`an admin`@`%` PROCEDURE p() BEGIN SELECT 1; END',
    'CREATE OR REPLACE DEFINER = `a``b c @ d`@`10.0.0.%` FUNCTION f() RETURNS INT BEGIN RETURN 1; END',
    'CREATE DEFINER=root@127.0.0.1 TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET @a = 1; END',
    'ALTER DEFINER = `my role` EVENT e DO BEGIN DELETE FROM t; DELETE FROM u; END',
    'CREATE DEFINER=CURRENT_USER() FUNCTION f() RETURNS INT BEGIN RETURN 1; END',
    'CREATE DEFINER=CURRENT_USER EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM t; END',
    'ALTER EVENT e DO BEGIN DELETE FROM t; DELETE FROM u; END',
    'CREATE /*!50017 DEFINER=`a`@`b` */ PROCEDURE p() BEGIN SELECT 1; END',
  ])('is what %s holds', (sql) => {
    expect(scan(sql)).toMatchObject({
      hasSeveralStatements: false,
      forbidden: undefined,
      unreadable: undefined,
    });
  });

  test.each([
    'SELECT 1; SELECT 2',
    'SELECT 1;;a',
    'SELECT 1; /*! SELECT 2 */',
    'SELECT 1 /*! ; */',
    ';SELECT 1',
    "SELECT 1;'a'",
    'IF 1 THEN SELECT 1; END IF',
    'CREATE TABLE `PROCEDURE` (a INT); DROP TABLE t',
    'CREATE TABLE procedure_log (a INT); DROP TABLE t',
    'CREATE VIEW v AS SELECT 1; DROP TABLE t',
    'CREATE DEFINER=`a` VIEW `PROCEDURE` AS SELECT 1; DROP TABLE t',
    'CREATE DEFINER=`a b` `c` PROCEDURE p() SELECT 1; DROP TABLE t',
  ])('is not all that %s holds', (sql) => {
    expect(scan(sql)).toMatchObject({ hasSeveralStatements: true });
  });

  test.each(['', ' \n', ';', ' ;; ', '-- a', '# a', '/* a */ ; /* b */', '/*! */', '/*!50101*/', '/*+ a */'])(
    'is missing in "%s"',
    (sql) => {
      expect(scan(sql)).toMatchObject({ isEmpty: true, unreadable: undefined });
    },
  );

  test('ends before what closes it', () => {
    const sql = 'SELECT 1 /* a */ ; ; -- b';
    expect(sql.slice(0, scan(sql).end)).toBe('SELECT 1 /* a */ ');
  });
});

describe('text that cannot be read for certain', () => {
  test.each([
    ["SELECT 'a", '', 'a quoted text is not closed'],
    ["SELECT 'a\\'", '', 'a quoted text is not closed'],
    ["SELECT 'a''", 'NO_BACKSLASH_ESCAPES', 'a quoted text is not closed'],
    ['SELECT `a', '', 'a quoted text is not closed'],
    ['SELECT "a\\"', '', 'a quoted text is not closed'],
    ['SELECT "a""', 'ANSI_QUOTES', 'a quoted text is not closed'],
    ['SELECT 1 /* a', '', 'a comment is not closed'],
    ['SELECT 1 /*/', '', 'a comment is not closed'],
    ['SELECT 1 /*! a', '', 'a comment is not closed'],
    ['SELECT 1 /*! /* */', '', 'a comment is not closed'],
    ['SELECT 1 /*! # */', '', 'a comment is not closed'],
    ['SELECT 1; /*', '', 'a comment is not closed'],
    ["SELECT /*! '*/' */ 1", '', 'servers differ on where an executable comment ends'],
    ["SELECT /*!99999 ' */ ' ? ' /* ' */", '', 'servers differ on where an executable comment ends'],
    ['SELECT /*! -- */\n */ 1', '', 'servers differ on where an executable comment ends'],
    ['SELECT /*M! /* */ */ 1', '', 'servers differ on where an executable comment ends'],
    ['SELECT /*+ QB_NAME(`*/ ? `) */ 1', '', 'servers differ on where an executable comment ends'],
    ['SELECT /*! /*! 1 */ */ 1', '', 'it holds an executable comment within another'],
    ['SELECT $$ ? $$', '', 'it holds a dollar-quoted text'],
    ["SELECT $a$ ' $a$, ?, $a$ ' $a$", '', 'it holds a dollar-quoted text'],
    ['SELECT 1 # \0 , ?', '', 'it holds a NUL character'],
  ])('is reported: %j under "%s"', (sql, sqlMode, unreadable) => {
    expect(scan(sql, sqlMode).unreadable).toBe(unreadable);
  });
});

test.each([
  ['', false, false],
  ['STRICT_TRANS_TABLES', false, false],
  ['no_backslash_escapes', true, false],
  ['STRICT_TRANS_TABLES, ANSI_QUOTES', false, true],
  ['ANSI', false, true],
  ['ANSI,NO_BACKSLASH_ESCAPES', true, true],
  ['IGNORE_SPACE', false, false],
])(
  'sql_mode "%s" is read as noBackslashEscapes %s, ansiQuotes %s',
  (text, noBackslashEscapes, ansiQuotes) => {
    expect(parseSqlMode(text)).toEqual({ noBackslashEscapes, ansiQuotes });
  },
);
