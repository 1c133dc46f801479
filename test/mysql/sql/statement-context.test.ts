import { describe, expect, test } from 'vitest';
import { bindStatement } from '../../../lib/mysql/sql/binding/bind.ts';
import { parseSqlMode } from '../../../lib/mysql/sql/lexer/sql-mode.ts';
import type { StatementContext } from '../../../lib/mysql/sql/statement-context.ts';
import { scanStatement } from '../../../lib/mysql/sql/statement-scan.ts';

/** Why the statement is refused in this place. */
function refusal(sql: string, place: StatementContext, sqlMode = ''): string | undefined {
  try {
    bindStatement(sql, undefined, parseSqlMode(sqlMode), place);
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ code: 'STATEMENT_NOT_ALLOWED', outcome: 'not_applied' });
    return error instanceof Error ? error.message : 'no error';
  }
}

describe('only inside a transaction', () => {
  test.each([
    ['SAVEPOINT', 'savepoint a'],
    ['SAVEPOINT', '/*!50101 SAVEPOINT a */'],
    ['ROLLBACK TO', 'ROLLBACK WORK TO SAVEPOINT a'],
    ['ROLLBACK TO', 'rollback /* */ to a;'],
    ['RELEASE SAVEPOINT', 'RELEASE SAVEPOINT a'],
    ['SET', 'SET @a = 1'],
    ['SET', 'SET SESSION lock_wait_timeout = 5'],
    ['SET', 'SET @@time_zone = "+01:00"'],
    ['CREATE TEMPORARY TABLE', 'CREATE TEMPORARY TABLE t (a INT)'],
    ['CREATE TEMPORARY TABLE', 'create or replace /* */ temporary table t as select 1'],
    ['DROP TEMPORARY TABLE', 'DROP TEMPORARY TABLES IF EXISTS a, b'],
    ['PREPARE', "PREPARE p FROM 'DO 1'"],
    ['EXECUTE', 'EXECUTE p'],
    ['EXECUTE', "EXECUTE IMMEDIATE 'DO 1'"],
    ['DEALLOCATE PREPARE', 'DEALLOCATE PREPARE p'],
    ['DROP PREPARE', 'DROP PREPARE p'],
    ['a user variable', 'SELECT @a'],
    ['a user variable', 'SELECT @a:=1'],
    ['a user variable', 'SELECT 1 INTO @a'],
    ['a user variable', "SELECT @'a' := 1"],
    ['a user variable', 'SELECT @`a` := 1'],
    ['a user variable', 'SELECT 1 /*!99999 , @a := 1 */'],
    ['a user variable', 'INSERT INTO t VALUES (@a)'],
    ['a user variable', 'CALL p(@a)'],
    ['a user variable', 'GET DIAGNOSTICS @a = NUMBER'],
    ['a user variable', 'CREATE TABLE t SELECT @a := 1'],
    ['a user variable', 'SHOW TABLES WHERE (@a := 1)'],
    ['a user variable', 'SELECT @@version, @a'],
    ['a user variable', 'SELECT @ @version'],
    ['GET_LOCK or RELEASE_LOCK', "SELECT GET_LOCK('a', 1)"],
    ['GET_LOCK or RELEASE_LOCK', "DO release_lock /* */ ('a')"],
    ['GET_LOCK or RELEASE_LOCK', 'DO `release_all_locks`()'],
    ['GET_LOCK or RELEASE_LOCK', "WITH c AS (SELECT get_lock('a', 1)) SELECT * FROM c"],
    ['GET_LOCK or RELEASE_LOCK', "CREATE TABLE t SELECT GET_LOCK('a', 1)"],
  ])('%s: %s', (kind, sql) => {
    expect(refusal(sql, 'standalone')).toBe(`${kind} is allowed only inside a transaction`);
  });

  test('a function in double quotes, where these hold names', () => {
    expect(refusal('DO "GET_LOCK"(1, 1)', 'standalone', 'ANSI_QUOTES')).toContain('GET_LOCK');
    expect(refusal('SELECT "GET_LOCK" (1)', 'standalone')).toBeUndefined();
  });
});

describe('only outside a transaction', () => {
  test.each([
    ['CREATE TABLE', 'create table t (a int)'],
    ['CREATE TABLE', 'CREATE OR REPLACE TABLE t (a INT)'],
    ['CREATE', 'CREATE UNIQUE INDEX i ON t (a)'],
    ['CREATE', 'CREATE TEMPORARY SEQUENCE s'],
    ['CREATE', "CREATE DEFINER = 'a'@'%' PROCEDURE p() BEGIN SELECT 1; COMMIT; END"],
    ['DROP TABLE', 'DROP TABLE t'],
    ['ALTER TABLE', 'ALTER TABLE t ADD a INT'],
    ['TRUNCATE', 'TRUNCATE t'],
    ['GRANT', "GRANT EXECUTE ON PROCEDURE p TO 'a'@'%'"],
    ['ANALYZE TABLE', 'ANALYZE TABLE t'],
    ['ANALYZE', 'ANALYZE LOCAL TABLE t'],
    ['LOAD INDEX', 'LOAD INDEX INTO CACHE t'],
    ['RENAME USER', 'RENAME USER a@b TO c'],
  ])('%s: %s', (kind, sql) => {
    expect(refusal(sql, 'in_transaction')).toBe(
      `${kind} commits by itself and is allowed only outside a transaction`,
    );
    expect(refusal(sql, 'standalone')).toBeUndefined();
  });

  test.each([
    'CREATE /*!99999 TEMPORARY */ TABLE t (a INT)',
    'DROP /*! TEMPORARY */ TABLE t',
    'ANALYZE /*!99999 SELECT 1 */ TABLE t',
  ])('what an executable comment may turn into something that commits: %s', (sql) => {
    expect(refusal(sql, 'in_transaction')).toContain('commits by itself');
  });

  test.each([
    'GLUB',
    'GLUB @a',
    'LOCK INSTANCE FOR BACKUP',
    "'SELECT'",
    '`SELECT`',
    '{',
    'SELECT\u0301 1',
    'ſET a',
  ])('whatever is not known to leave a transaction open: %s', (sql) => {
    expect(refusal(sql, 'in_transaction')).toBe(
      'a statement that the broker does not know is allowed only outside a transaction',
    );
  });
});

test.each([
  'SELECT @@sql_mode, @@session . time_zone, @@global.read_only, get_lock FROM t',
  "SELECT IS_FREE_LOCK('a'), 'GET_LOCK(', '@a'",
  '(SELECT 1)',
  'WITH c AS (SELECT 1) UPDATE t SET a = 1',
  'VALUES (1), (2)',
  'REPLACE INTO t VALUES (1)',
  'SELECT /*!40001 SQL_NO_CACHE */ 1',
  'CALL p(1)',
  'DO SLEEP(0)',
  "LOAD DATA INFILE 'a' INTO TABLE t",
  "SHOW GRANTS FOR 'a'@'%'",
  'SHOW CREATE USER a@b',
  'EXPLAIN UPDATE t SET a = 1',
  'ANALYZE FORMAT=JSON SELECT 1',
  'CHECKSUM TABLE t',
])('in both places: %s', (sql) => {
  expect(refusal(sql, 'standalone')).toBeUndefined();
  expect(refusal(sql, 'in_transaction')).toBeUndefined();
});

test.each([
  "GRANT SELECT ON t TO 'a'@'%'",
  'REVOKE SELECT ON t FROM a@localhost',
  "CREATE USER 'a'@'%'",
  'CREATE DEFINER = a@b VIEW v AS SELECT 1',
  'ALTER DEFINER = a@b EVENT e DISABLE',
  'CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW SET @a = GET_LOCK(1, 1)',
  'CREATE PROCEDURE p() BEGIN SET @a = 1; DO RELEASE_ALL_LOCKS(); END',
])('accounts and the bodies of stored programs are no use of the session: %s', (sql) => {
  expect(refusal(sql, 'standalone')).toBeUndefined();
});

describe('a prepared text', () => {
  test.each([
    ['', "PREPARE p FROM 'SELECT @a, ? -- end'"],
    ['', "PREPARE p FROM 'SELECT \\'it''''s \\\\\\\\'''"],
    ['', 'EXECUTE IMMEDIATE "INSERT INTO t VALUES (?, \'""\')" USING 1, \'COMMIT\';'],
    ['', "EXECUTE IMMEDIATE 'SAVEPOINT a'"],
    ['NO_BACKSLASH_ESCAPES', "PREPARE p FROM 'SELECT ''\\'''"],
  ])('may be, under sql_mode "%s", what may run itself: %s', (sqlMode, sql) => {
    expect(refusal(sql, 'in_transaction', sqlMode)).toBeUndefined();
  });

  test.each([
    ['COMMIT is not allowed', "PREPARE p FROM 'COMMIT'"],
    ['COMMIT is not allowed', "EXECUTE IMMEDIATE 'C\\OMMIT/* '' */'"],
    ['COMMIT is not allowed', 'EXECUTE IMMEDIATE "/*!COMMIT*/"'],
    ['COMMIT is not allowed', "EXECUTE IMMEDIATE ' \\n\\t(COMMIT)'"],
    ['SET of sql_mode is not allowed', "EXECUTE IMMEDIATE 'SET sql_mode = \\'\\''"],
    ['one statement per call', "EXECUTE IMMEDIATE 'BEGIN NOT ATOMIC COMMIT; END'"],
    ['INTO OUTFILE is not allowed', "PREPARE p FROM 'SELECT 1 INTO OUTFILE ''/tmp/a'''"],
    ['one statement per call', "PREPARE p FROM 'SELECT 1; COMMIT'"],
    ['DROP TABLE commits by itself and', "PREPARE p FROM 'DROP TABLE t'"],
    ['COMMIT is not allowed', "EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE \"PREPARE p FROM ''COMMIT''\"'"],
  ])('is refused with "%s": %s', (reason, sql) => {
    expect(refusal(sql, 'in_transaction')).toContain(reason);
  });

  test('is refused under the mode that the session has', () => {
    const sql = "PREPARE p FROM 'COM\\MIT'";
    expect(refusal(sql, 'in_transaction')).toBe('COMMIT is not allowed');
    expect(refusal(sql, 'in_transaction', 'NO_BACKSLASH_ESCAPES')).toContain('does not know');
  });

  test('that cannot be read is refused as any statement', () => {
    expect(() =>
      bindStatement("PREPARE p FROM 'SELECT ''a'", [], parseSqlMode(''), 'in_transaction'),
    ).toThrow('the statement cannot be read: a quoted text is not closed');
  });
});

test.each([
  ['CALL p()', true],
  ['/*!50101 CALL p() */', true],
  ['EXECUTE p', true],
  ["EXECUTE IMMEDIATE 'CALL p()'", true],
  ['SELECT /*! 1 */', true],
  ['SELECT f()', false],
  ['INSERT INTO t VALUES (1)', false],
  ['SAVEPOINT a', false],
  ['SET @a = f()', false],
])('may end the transaction, %s: %s', (sql, expected) => {
  const bound = bindStatement(sql, undefined, parseSqlMode(''), 'in_transaction');
  expect(bound.mayEndTransaction).toBe(expected);
});

test.each([
  ['parentheses', (n: number) => '('.repeat(n)],
  ['calls', (n: number) => `SELECT ${'GET_LOCK('.repeat(n)}`],
  ['variables', (n: number) => `SELECT ${'@@'.repeat(n)}`],
  ['assignments', (n: number) => `SET ${'@a=1,'.repeat(n)}`],
  ['words of DDL', (n: number) => `CREATE ${'OR REPLACE '.repeat(n)}`],
  ['strings to prepare', (n: number) => `PREPARE ${" FROM ''".repeat(n)}`],
  ['values of a prepared text', (n: number) => `EXECUTE IMMEDIATE '' USING ${"'',".repeat(n)}`],
  ['escapes in a prepared text', (n: number) => `EXECUTE IMMEDIATE '${"\\'".repeat(n)}'`],
  ['executable comments', (n: number) => `SELECT ${'/*!1*/'.repeat(n)}`],
  ['an object behind DEFINER', (n: number) => `CREATE DEFINER=${'a'.repeat(n)}@${'a '.repeat(n)}`],
])('a text of megabytes is judged in time that grows with its length: %s', (_what, textOf) => {
  // Squared, it would take minutes.
  const { unreadable } = scanStatement(textOf(100_000), parseSqlMode(''));
  expect(unreadable).toBeUndefined();
});
