import { describe, expect, test } from 'vitest';
import { parseSqlMode } from '../../lib/mysql/sql-mode.ts';
import { scanStatement } from '../../lib/mysql/statement-scan.ts';

function scan(sql: string, sqlMode = '') {
  return scanStatement(sql, parseSqlMode(sqlMode));
}

describe('never allowed', () => {
  test.each([
    ['BEGIN', 'begin'],
    ['BEGIN', '/* a */ BEGIN WORK;'],
    ['BEGIN', 'BEGIN NOT ATOMIC SELECT 1'],
    ['START TRANSACTION', 'start /* */ transaction read only'],
    ['COMMIT', ' -- a\n(COMMIT)'],
    ['COMMIT', '/*!50101 COMMIT */'],
    ['COMMIT', '/*!100100COMMIT*/'],
    ['COMMIT', '/*M! Commit and chain*/;'],
    ['ROLLBACK', 'ROLLBACK'],
    ['ROLLBACK', 'ROLLBACK WORK AND CHAIN'],
    ['XA', "XA START 'a'"],
    ['SET ROLE', 'set role boss'],
    ['SET ROLE', 'SET DEFAULT ROLE boss FOR app'],
    ['SET of profiling', 'SET @a = 1, profiling = 1'],
    ['EXECUTE IMMEDIATE of what is not one quoted text', 'EXECUTE IMMEDIATE @a'],
    ['EXECUTE IMMEDIATE of what is not one quoted text', "execute immediate 'COM' 'MIT'"],
    ['EXECUTE IMMEDIATE of what is not one quoted text', "EXECUTE IMMEDIATE ('COMMIT')"],
    ['EXECUTE IMMEDIATE of what is not one quoted text', "EXECUTE IMMEDIATE N'COMMIT'"],
    ['EXECUTE IMMEDIATE of what is not one quoted text', "EXECUTE IMMEDIATE _utf8mb4'COMMIT'"],
    ['EXECUTE IMMEDIATE of what is not one quoted text', "EXECUTE IMMEDIATE x'434F4D4D4954'"],
    ['EXECUTE IMMEDIATE of what is not one quoted text', "EXECUTE IMMEDIATE CONCAT('COM', 'MIT')"],
    ['EXECUTE IMMEDIATE of what is not one quoted text', 'EXECUTE IMMEDIATE ? USING 1'],
    ['PREPARE from what is not one quoted text', 'prepare p FROM @a'],
    ['PREPARE from what is not one quoted text', 'PREPARE p FROM ?'],
    ['PREPARE from what is not one quoted text', "PREPARE p FROM 'COM' /* */ 'MIT'"],
    ['PREPARE from what is not one quoted text', "PREPARE p FROM CONCAT('a', 'b')"],
    ['an executable comment in EXECUTE', "EXECUTE IMMEDIATE /*!99999 'DO 1' USING */ 'COMMIT'"],
    ['an executable comment in PREPARE', "PREPARE /*!99999 p FROM */ p FROM 'DO 1'"],
    ['SET of completion_type', 'SET @a = 1, SESSION completion_type = 2'],
    ['SET of session tracking', 'SET @@session_track_schema = 0'],
    ['SET of session tracking', "SET session_track_system_variables = ''"],
    ['SET of sql_mode', "SET sql_mode = ''"],
    ['SET of sql_mode', "SET SESSION Sql_Mode:=''"],
    ['SET of sql_mode', "SET LOCAL sql_mode=''"],
    ['SET of sql_mode', "SET @@sql_mode/* */=''"],
    ['SET of sql_mode', "SET @@session . sql_mode = ''"],
    ['SET of sql_mode', "SET @@local.`sql_mode`=''"],
    ['SET of sql_mode', "SET @a = 'x', `sql_mode ` = ''"],
    ['SET of sql_mode', "SET @a = f(1, 2), sort_buffer_size = 1, SESSION sql_mode = ''"],
    ['SET of autocommit', 'SET autocommit=0'],
    ['SET of autocommit', 'SET sort_buffer_size = ?, @@autocommit = ?'],
    ['SET of the transaction mode', "SET tx_isolation = 'SERIALIZABLE'"],
    ['SET of the transaction mode', 'SET @@transaction_read_only = 1'],
    ['SET of the character set', 'SET character_set_client = latin1'],
    ['SET of the character set', 'SET @a = 1, SESSION collation_connection = latin1_bin'],
    ['SET of a variable that is not ASCII', "SET sql_modé = ''"],
    ['SET of a variable that is not ASCII', 'SET @a = 1, @@session.`autocømmit` = 0'],
    ['SET NAMES', 'SET NAMES utf8mb4'],
    ['SET NAMES', "SET @a = 1, names 'latin1'"],
    ['SET CHARACTER SET', 'SET CHARACTER SET latin1'],
    ['SET CHARACTER SET', 'SET char set latin1'],
    ['SET CHARACTER SET', 'SET @a=1,CHARSET latin1'],
    ['SET TRANSACTION', 'SET TRANSACTION READ ONLY'],
    ['SET TRANSACTION', 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED'],
    ['SET TRANSACTION', 'SET GLOBAL TRANSACTION READ ONLY'],
    ['SET GLOBAL', 'SET GLOBAL max_connections = 1'],
    ['SET GLOBAL', 'SET @a = 1, @@global.max_connections = 1'],
    ['SET PERSIST', 'SET PERSIST max_connections = 1'],
    ['SET PERSIST', 'SET PERSIST_ONLY max_connections = 1'],
    ['SET PERSIST', 'SET @@persist.max_connections = 1'],
    ['SET PASSWORD', "SET PASSWORD = 'a'"],
    ['SET PASSWORD', "SET @a = 1, PASSWORD FOR 'u' = 'a'"],
    ['SET STATEMENT', 'SET STATEMENT max_statement_time = 1 FOR SELECT 1'],
    ['KILL', 'KILL QUERY 5'],
    ['SHUTDOWN', 'SHUTDOWN'],
    ['RESTART', 'RESTART'],
    ['LOAD DATA LOCAL', "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t"],
    ['LOAD DATA LOCAL', "LOAD DATA CONCURRENT LOCAL INFILE 'a' INTO TABLE t"],
    ['LOAD XML LOCAL', "LOAD XML LOCAL INFILE 'a' INTO TABLE t"],
    ['USE', 'USE mysql'],
    ['HANDLER', 'HANDLER t OPEN'],
    ['LOCK TABLES', 'LOCK TABLES t WRITE'],
    ['LOCK TABLES', 'LOCK TABLE t READ'],
    ['UNLOCK TABLES', 'UNLOCK TABLES'],
    ['INTO OUTFILE', "SELECT 1 into/**/outfile '/tmp/a'"],
    ['INTO OUTFILE', "EXPLAIN ANALYZE SELECT * INTO DUMPFILE 'a' FROM t"],
    ['INTO OUTFILE', "SELECT 1 INTO /*!99999 @a */ OUTFILE '/tmp/a'"],
    ['INTO OUTFILE', "SELECT 1.5INTO OUTFILE '/tmp/a'"],
    ['INTO OUTFILE', "SELECT 1.INTO OUTFILE'/tmp/a'"],
    ['INTO OUTFILE', "SELECT .5INTO DUMPFILE '/tmp/a'"],
    ['INTO OUTFILE', "SELECT 1e5INTO OUTFILE '/tmp/a'"],
    ['INTO OUTFILE', "SELECT 1E-5INTO OUTFILE '/tmp/a'"],
    ['INTO OUTFILE', "SELECT 1.e+5INTO OUTFILE '/tmp/a'"],
    ['INTO OUTFILE', "SELECT \\NINTO OUTFILE '/tmp/a'"],
    ['INTO OUTFILE', 'SELECT dumpfile FROM t'],
    ['a statement that begins in an executable comment', '/*!99999 SELECT */ KILL 5'],
    ['a statement that begins in an executable comment', '/*!99999 SELECT */ /*!100100 COMMIT */'],
    ['a statement that begins in an executable comment', '(/*!99999 SELECT */ KILL 5)'],
    ['an executable comment in SET', "SET /*!99999 @a = 1, */ @b = 2, x /*! y */ = ''"],
    ['an executable comment in LOCK', 'LOCK /*!99999 x */ TABLES t READ'],
  ])('is %s: %s', (kind, sql) => {
    expect(scan(sql).forbidden).toBe(kind);
  });

  test('reads a double-quoted variable as its name under ANSI_QUOTES', () => {
    expect(scan('SET "sql_mode" = 1', 'ANSI_QUOTES').forbidden).toBe('SET of sql_mode');
  });

  test('takes what is in double quotes for no text under ANSI_QUOTES', () => {
    expect(scan('EXECUTE IMMEDIATE "DO 1"').forbidden).toBeUndefined();
    expect(scan('EXECUTE IMMEDIATE "DO 1"', 'ANSI_QUOTES').forbidden).toContain('EXECUTE IMMEDIATE');
  });

  test.each([
    'ROLLBACK TO a',
    'ROLLBACK WORK TO SAVEPOINT a',
    'SAVEPOINT a',
    'RELEASE SAVEPOINT a',
    'EXECUTE p USING @a',
    "EXECUTE IMMEDIATE 'SELECT ?' USING 'a'",
    "PREPARE `a b` FROM 'DO 1';",
    'DEALLOCATE PREPARE p',
    '`commit`',
    'SELECT begin, `commit` FROM `use` FORCE INDEX (a)',
    "SELECT 'COMMIT' /* KILL 5 */ -- USE a",
    'START REPLICA',
    'LOAD DATA INFILE ? INTO TABLE local',
    'SELECT @@sql_mode, @@global.autocommit',
    'SET @a = @@sql_mode, @sql_mode = 1, @names = 2',
    'SET SESSION sort_buffer_size = 1, @@session.lock_wait_timeout = 5',
    "SET @a = 'é', @é = 1",
    'SET time_zone = ?',
    'UPDATE t SET names = 1, autocommit = 2, sql_mode = 3, password = 4',
    "SELECT 'INTO OUTFILE', `outfile` FROM t /* INTO OUTFILE */",
    'SELECT t.dumpfile FROM t',
    'INSERT INTO `outfile` VALUES (1)',
    'SELECT /*!40001 SQL_NO_CACHE */ * FROM t',
    '/*!40000 ALTER TABLE t DISABLE KEYS */;',
    'CREATE TABLE t (a INT) /*!50100 PARTITION BY KEY (a) */',
    'EXPLAIN commit',
    '/*!123 COMMIT */',
  ])('is not what %s is', (sql) => {
    expect(scan(sql)).toMatchObject({
      forbidden: undefined,
      unreadable: undefined,
      hasSeveralStatements: false,
    });
  });
});
