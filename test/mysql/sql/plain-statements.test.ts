import { expect, test } from 'vitest';
import { parseSqlMode } from '../../../lib/mysql/sql/lexer/sql-mode.ts';
import { scanStatement } from '../../../lib/mysql/sql/statement-scan.ts';

function scan(sql: string, sqlMode = '') {
  return scanStatement(sql, parseSqlMode(sqlMode));
}

const READS = [
  'SELECT id, name FROM users WHERE id = ?',
  'select count(*), MAX(`a`) from `t` where a in (?, ?) and (b or not (c)) -- closing\n;',
  "SELECT COALESCE(a, 'it''s @x'), \"@y\", `@z`, a->'$.x' FROM t /* @ and GET_LOCK('a', 1) */ # @",
  'SELECT t.*, CASE (a) WHEN (1) THEN (2) ELSE (3) END FROM t JOIN u USING (id) ORDER BY a DESC LIMIT 5',
  'SELECT * FROM t WHERE a = ANY (SELECT b FROM u) AND EXISTS (SELECT 1) AND MATCH (a) AGAINST (?)',
  'SELECT * FROM t USE INDEX (i) FORCE INDEX FOR ORDER BY (j) WHERE a BETWEEN (1) AND (2)',
  'SELECT CAST(a AS DATETIME(6)), CONVERT(b, DECIMAL(10,2)), INTERVAL (1) DAY + NOW(6) FROM t',
  'SELECT x.a FROM (SELECT 1, 2) AS x (a, b), (SELECT 3) y (c)',
  'SELECT SUM(a) OVER (PARTITION BY b), SUM(a) OVER w FROM t WINDOW w AS (ORDER BY c)',
  'SELECT ROW_NUMBER() OVER (ORDER BY a) FROM t',
  'WITH a AS (SELECT 1), `b` AS (SELECT (2)) SELECT * FROM a, b',
  '(WITH a (x) AS (SELECT 1) SELECT x FROM a)',
  'SELECT 1.5, .5 FROM t WHERE 1.5IN (2) AND a > 0x1F',
  'WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c), d(m) AS (SELECT 2) SELECT n FROM c, d',
  '((SELECT 1) UNION (SELECT 2))',
  'SELECT a FROM t PARTITION (p0) WHERE a = ? FOR UPDATE',
  'SELECT SLEEP(0), RAND(), UUID(), CONNECTION_ID(), DATABASE(), CURRENT_USER',
];

const WRITES = [
  'INSERT INTO t VALUES (?, NOW(), DEFAULT(a), :name)',
  'INSERT t(a, b) SELECT a, b FROM u',
  'INSERT IGNORE INTO `db` . `t` (`a`) VALUES (1), (2) ON DUPLICATE KEY UPDATE a = VALUES(a) + 1',
  'INSERT HIGH_PRIORITY INTO t PARTITION (p0) (a) VALUE (1) RETURNING id',
  'INSERT INTO t () VALUES ()',
  'INSERT INTO t SET a := 1, b = (SELECT MAX(b) FROM u)',
  'REPLACE LOW_PRIORITY t (a) VALUES (1)',
  'UPDATE t JOIN u ON (t.id = u.id) SET t.a = IF(u.a, 1, 2) WHERE t.b IN (1)',
  'DELETE t FROM t JOIN u USING (id) WHERE u.a IS NULL LIMIT 1',
  'WITH c AS (SELECT 1 AS n) UPDATE t SET a = 1',
];

test.each(READS)('plain, and a read: %s', (sql) => {
  expect(scan(sql)).toMatchObject({ isPlain: true, isRead: true });
});

test.each(WRITES)('plain, and no read: %s', (sql) => {
  expect(scan(sql)).toMatchObject({ isPlain: true, isRead: false });
});

test.each([
  // Variables.
  'SELECT @a',
  'SELECT @a := 1',
  'SELECT 1 INTO @a',
  "SELECT @'a' := 1",
  'SELECT @@sql_mode',
  'UPDATE t SET a = (@a := a + 1)',
  'INSERT INTO t (a) VALUES (@a)',
  // Functions with state, and those that may be a user's.
  "SELECT GET_LOCK('a', 1)",
  "SELECT RELEASE_LOCK('a')",
  'SELECT LAST_INSERT_ID()',
  'INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)',
  'SELECT FOUND_ROWS()',
  'SELECT ROW_COUNT()',
  'SELECT SQL_CALC_FOUND_ROWS a FROM t',
  'SELECT f(1)',
  'SELECT db.f(1)',
  'SELECT db.abs(1)',
  'SELECT db . abs /* */ (1)',
  'SELECT `abs`(1)',
  'SELECT COUNT (a) FROM t',
  'SELECT RANK () OVER (ORDER BY a)',
  'SELECT NOW/* */()',
  'SELECT RANK(1)',
  'SELECT MD5(1)',
  'SELECT \u017fUM(1)',
  'SELECT ROW(1, 2) = ROW(1, 2)',
  'SELECT { fn f(1) }',
  'SELECT (1), f(2)',
  'SELECT a IN (1) AND f(2)',
  'INSERT INTO t SELECT f (1)',
  'INSERT INTO t (a) VALUES (f(1))',
  'INSERT INTO t VALUES (f(1))',
  'WITH c (a) AS (SELECT f(1)) SELECT a FROM c',
  'WITH c (a) AS (SELECT 1) SELECT f(1)',
  'SELECT * FROM t PROCEDURE ANALYSE()',
  // Sequences.
  'SELECT NEXT VALUE FOR s',
  'SELECT previous value FOR s',
  'SELECT NEXTVAL(s)',
  'SELECT s.nextval',
  'SELECT LASTVAL(s)',
  // What servers read differently, and what is not looked into.
  'SELECT /*! 1 */',
  'SELECT 1 /*!50101 */',
  'SELECT 1 /*M! , 2 */',
  'SELECT /*+ SET_VAR(sort_buffer_size = 1) */ 1',
  'SELECT 1 /*+ */',
  'SELECT 1 INTO a',
  'INSERT INTO t SELECT 1 INTO a',
  'INSERT DELAYED INTO t VALUES (1)',
  'WITH c AS (SELECT 1) (SELECT 1)',
  'WITH a AS (SELECT 1 x) (SELECT a FROM bits) ORDER BY LAST_INSERT_ID() & a FOR UPDATE',
  'WITH a AS (SELECT 1 x) SELECT a FROM bits ORDER BY LAST_INSERT_ID() & a FOR UPDATE',
  'WITH a AS (SELECT 1) f(1) SELECT 1',
  'WITH a f(1) AS (SELECT 1) SELECT 1',
  'WITH a AS (SELECT 1), (SELECT 1) SELECT f(1)',
  'WITH a AS f(1) SELECT 1',
  'WITH RECURSIVE a (n) AS (SELECT 1) CYCLE f(1) RESTRICT SELECT 1',
  'WITH a AS (SELECT LAST_INSERT_ID()) SELECT 1',
  'WITH SELECT AS (SELECT 1) SELECT LAST_INSERT_ID()',
  '(WITH a AS (SELECT 1) SELECT LAST_INSERT_ID())',
  'WITH a AS (SELECT 1) (WITH b AS (SELECT 1) SELECT LAST_INSERT_ID())',
  "'a' SELECT 1",
  '{SELECT 1}',
  'SELECT * FROM optimizer_trace',
  // Other statements.
  'DO SLEEP(0)',
  'SET @a = 1',
  'CALL p()',
  'SHOW WARNINGS',
  'EXPLAIN SELECT 1',
  'VALUES (1)',
  'TABLE t',
  'CREATE TEMPORARY TABLE t (a INT)',
  'PREPARE s FROM ?',
  "EXECUTE IMMEDIATE 'SET @a = 1'",
  'LOAD DATA INFILE ? INTO TABLE t',
  'TRUNCATE t',
  'ANALYZE TABLE t',
  'BEGIN NOT ATOMIC SELECT 1; END',
  '',
])('not plain: %s', (sql) => {
  expect(scan(sql)).toMatchObject({ isPlain: false, isRead: false });
});

test('what is in double quotes is a function under ANSI_QUOTES and text otherwise', () => {
  expect(scan('SELECT "abs"(1), "@a"', 'ANSI_QUOTES').isPlain).toBe(false);
  expect(scan('SELECT "@a"', 'ANSI_QUOTES').isPlain).toBe(true);
  expect(scan('SELECT "@a\\"", 1', '').isPlain).toBe(true);
  expect(scan('SELECT "\\", @a, "', 'NO_BACKSLASH_ESCAPES').isPlain).toBe(false);
});
