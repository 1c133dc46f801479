import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bindStatement } from '../../../lib/mysql/sql/binding/bind.ts';
import { parseSqlMode } from '../../../lib/mysql/sql/lexer/sql-mode.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { OpenTransaction } from './support/open-transaction.ts';

let database: TestDatabase;
let transaction: OpenTransaction;

beforeAll(async () => {
  database = await startTestDatabase();
  transaction = await OpenTransaction.connect(database);
  const { admin } = database;
  await admin.query('CREATE TABLE app.t (a INT, KEY k (a)) ENGINE = MyISAM');
  await admin.query('CREATE TABLE app.kept (a INT PRIMARY KEY)');
  if (database.server.flavour === 'mariadb') await admin.query('CREATE SEQUENCE app.s');
  await admin.query('CREATE VIEW app.v AS SELECT 1 AS a');
  await admin.query('CREATE FUNCTION app.f() RETURNS INT RETURN 1');
  await admin.query('CREATE PROCEDURE app.harmless() SELECT 1');
  await admin.query('CREATE PROCEDURE app.commits() COMMIT');
  await admin.query('CREATE PROCEDURE app.begins_anew() START TRANSACTION');
});

afterAll(async () => {
  await transaction.close();
  await database.stop();
});

beforeEach(async () => {
  await transaction.begin();
});

afterEach(async () => {
  await transaction.run('ROLLBACK');
});

/** Of the statements below: neither server takes what only the other knows. */
const ONLY_ON = {
  mariadb:
    /SEQUENCE|NEXTVAL|OR REPLACE|IMMEDIATE|NOT ATOMIC|^IF |SET STATEMENT|INSTALL SONAME|^BACKUP|QUERY CACHE|SLAVE|(CHECK|REPAIR) VIEW|^ANALYZE (SELECT|FORMAT|UPDATE)|^VALUES \(|PASSWORD\(|ROLE NONE FOR/,
  mysql:
    /^TABLE|VALUES ROW|EXPLAIN ANALYZE|FOR SHARE|ST(ART|OP) REPLICA|COMPONENT|^IMPORT|RESOURCE GROUP|^ALTER INSTANCE|TABLESPACE|SPATIAL|ROLE NONE TO|HISTOGRAM|LIBRARY/,
};

function isForeign(sql: string): boolean {
  return ONLY_ON[database.server.flavour === 'mysql' ? 'mariadb' : 'mysql'].test(sql);
}

function isAllowed(sql: string): boolean {
  try {
    bindStatement(sql, undefined, parseSqlMode(''), 'in_transaction');
    return true;
  } catch {
    return false;
  }
}

describe('what a server ends the transaction for is refused', () => {
  test.each([
    ...['BEGIN', 'START TRANSACTION', 'COMMIT', 'COMMIT AND CHAIN', 'ROLLBACK', 'ROLLBACK AND CHAIN'],
    'CREATE TABLE t1 (a INT)',
    'CREATE OR REPLACE TABLE t1 (a INT)',
    'CREATE TABLE IF NOT EXISTS t1 (a INT)',
    'ALTER TABLE t1 ADD b INT',
    'RENAME TABLE t1 TO t2, t2 TO t1',
    'TRUNCATE t1',
    'TRUNCATE TABLE t1',
    'DROP TABLE t1',
    'DROP TABLE IF EXISTS nowhere',
    'CREATE /*!99999 TEMPORARY */ TABLE t3 (a INT)',
    'ALTER TABLE scratch ADD b INT',
    'TRUNCATE TABLE scratch',
    'CREATE INDEX i ON scratch (a)',
    'RENAME TABLE scratch TO scratch2',
    'DROP TABLE scratch',
    'CREATE UNIQUE INDEX u ON t (a)',
    'DROP INDEX u ON t',
    ...[
      'CREATE SEQUENCE s2',
      'CREATE TEMPORARY SEQUENCE s3',
      'ALTER SEQUENCE s RESTART 5',
      'DROP SEQUENCE s2',
    ],
    ...['CREATE VIEW v2 AS SELECT 1', 'ALTER VIEW v AS SELECT 2 AS a', 'DROP VIEW v2'],
    ...['CREATE DATABASE d', 'ALTER DATABASE d CHARACTER SET utf8mb4', 'DROP DATABASE d'],
    ...['CREATE PROCEDURE p() SELECT 1', "ALTER PROCEDURE p COMMENT 'a'", 'DROP PROCEDURE p'],
    ...['CREATE FUNCTION g() RETURNS INT RETURN 1', 'DROP FUNCTION g'],
    ...['CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @a = 1', 'DROP TRIGGER g'],
    ...['CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1', 'ALTER EVENT e DISABLE', 'DROP EVENT e'],
    "CREATE SERVER r FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1')",
    'DROP SERVER r',
    ...['CREATE USER u', 'ALTER USER u ACCOUNT LOCK', 'RENAME USER u TO w', 'DROP USER w'],
    ...['CREATE ROLE r', 'GRANT r TO app', 'REVOKE r FROM app', 'DROP ROLE r'],
    'GRANT SELECT ON app.* TO app',
    // Even where it fails.
    'REVOKE SELECT ON app.t FROM app',
    "SET PASSWORD FOR app = PASSWORD('app-password')",
    'SET DEFAULT ROLE NONE FOR app',
    ...[
      'ANALYZE TABLE t',
      'CHECK TABLE t',
      'OPTIMIZE TABLE t',
      'REPAIR TABLE t',
      'CHECK VIEW v',
      'REPAIR VIEW v',
    ],
    ...['FLUSH STATUS', 'FLUSH LOCAL TABLES', 'FLUSH PRIVILEGES', 'RESET QUERY CACHE', 'RESET SLAVE ALL'],
    ...["INSTALL SONAME 'nothing'", "UNINSTALL SONAME 'nothing'"],
    ...['BACKUP STAGE START', 'BACKUP STAGE END', 'BACKUP LOCK t', 'BACKUP UNLOCK'],
    ...['LOCK TABLES mark READ', 'FLUSH TABLES mark FOR EXPORT'],
    'SET STATEMENT max_statement_time = 1 FOR COMMIT',
    ...['START REPLICA', 'STOP REPLICA', 'RESET REPLICA ALL', "IMPORT TABLE FROM '/nowhere.sdi'"],
    ...["INSTALL COMPONENT 'file://nothing'", "UNINSTALL COMPONENT 'file://nothing'"],
    ...['CREATE RESOURCE GROUP g TYPE = USER', 'ALTER RESOURCE GROUP g DISABLE', 'DROP RESOURCE GROUP g'],
    ...["CREATE TABLESPACE s ADD DATAFILE 's.ibd'", 'DROP TABLESPACE s', 'ALTER INSTANCE RELOAD TLS'],
    ...['DROP SPATIAL REFERENCE SYSTEM 990001', 'SET DEFAULT ROLE NONE TO app'],
    ...['ANALYZE TABLE kept UPDATE HISTOGRAM ON a', "CREATE LIBRARY l LANGUAGE JAVASCRIPT AS '1'"],
    "EXECUTE IMMEDIATE 'COMMIT'",
    'BEGIN NOT ATOMIC COMMIT; END',
    'IF 1 THEN COMMIT; END IF',
  ])('%s', async (sql) => {
    await transaction.run(sql);
    expect(await transaction.isOpen()).toBe(isForeign(sql));
    expect(isAllowed(sql)).toBe(false);
  });
});

describe('what is allowed leaves the transaction open', () => {
  test.each([
    ...['SELECT 1', '(SELECT 1)', 'SELECT a FROM t FOR UPDATE', 'SELECT NEXTVAL(s), f()', 'SELECT 1 INTO @a'],
    ...['WITH c AS (SELECT 1) SELECT * FROM c', 'VALUES (1), (2)', 'VALUES ROW(1), ROW(2)', 'TABLE kept'],
    ...['SELECT a FROM kept FOR SHARE SKIP LOCKED', 'EXPLAIN ANALYZE SELECT 1'],
    ...['INSERT INTO kept VALUES (1)', 'INSERT INTO t VALUES (1)', 'REPLACE INTO kept VALUES (2)'],
    ...['UPDATE kept SET a = 3', 'DELETE FROM kept', 'INSERT INTO scratch VALUES (1)'],
    ...['CALL harmless()', 'DO f()', "DO GET_LOCK('a', 0)", 'DO RELEASE_ALL_LOCKS()'],
    ...['CREATE TEMPORARY TABLE a (a INT)', 'CREATE OR REPLACE TEMPORARY TABLE scratch AS SELECT 1 AS a'],
    ...['DROP TEMPORARY TABLE scratch', 'DROP TEMPORARY TABLES IF EXISTS scratch, nowhere'],
    ...['SAVEPOINT a', 'SET @a = 1', 'SET SESSION lock_wait_timeout = 5, @@time_zone = "+01:00"'],
    ...["PREPARE p FROM 'SELECT 1'", "EXECUTE IMMEDIATE 'SELECT 1'", "EXECUTE IMMEDIATE 'SAVEPOINT a'"],
    ...[
      'SHOW TABLES',
      'SHOW CREATE TABLE t',
      'SHOW TABLE STATUS',
      'SHOW GRANTS',
      'SHOW WARNINGS',
      'SHOW STATUS',
    ],
    ...['SHOW PROCESSLIST', 'SHOW ENGINE INNODB STATUS', 'DESCRIBE t', 'EXPLAIN UPDATE kept SET a = 1'],
    ...['ANALYZE SELECT 1', 'ANALYZE FORMAT=JSON SELECT a FROM t', 'ANALYZE UPDATE kept SET a = 3'],
    ...["HELP 'SELECT'", 'CHECKSUM TABLE t', 'GET DIAGNOSTICS @n = NUMBER'],
  ])('%s', async (sql) => {
    expect(isAllowed(sql)).toBe(true);
    expect(await transaction.run(sql)).toBe(!isForeign(sql));
    expect(await transaction.isOpen()).toBe(true);
  });

  test.each([
    "SIGNAL SQLSTATE '45000'",
    'RESIGNAL',
    "LOAD DATA INFILE '/nowhere' INTO TABLE t",
    'SELECT nothing',
    'INSERT INTO mark VALUES (1)',
    'ROLLBACK TO nothing',
    'RELEASE SAVEPOINT nothing',
    'EXECUTE nothing',
    'DROP PREPARE nothing',
    'DROP TEMPORARY TABLE nothing',
  ])('also where it fails: %s', async (sql) => {
    expect(isAllowed(sql)).toBe(true);
    expect(await transaction.run(sql)).toBe(false);
    expect(await transaction.isOpen()).toBe(true);
  });

  test('savepoints and prepared statements work as a whole', async () => {
    for (const sql of [
      'SAVEPOINT a',
      'INSERT INTO kept VALUES (9)',
      'ROLLBACK WORK TO SAVEPOINT a',
      'RELEASE SAVEPOINT a',
      "PREPARE p FROM 'SELECT ?'",
      'SET @a = 1',
      'EXECUTE p USING @a',
      'DEALLOCATE PREPARE p',
    ]) {
      expect(isAllowed(sql), sql).toBe(true);
      expect(await transaction.run(sql), sql).toBe(true);
    }
    expect(await transaction.isOpen()).toBe(true);
  });
});

test.each(['CALL commits()', 'CALL begins_anew()', "EXECUTE IMMEDIATE 'CALL commits()'"])(
  'what only the server knows to end the transaction is said to be able to: %s',
  async (sql) => {
    const bound = bindStatement(sql, undefined, parseSqlMode(''), 'in_transaction');
    expect(bound.mayEndTransaction).toBe(true);
    expect(await transaction.run(sql)).toBe(!isForeign(sql));
    expect(await transaction.isOpen()).toBe(isForeign(sql));
  },
);
