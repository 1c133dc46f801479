import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { startTestBroker, type TestBroker } from '../../support/broker.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';

const Failure = z.object({ error: z.looseObject({ code: z.string() }) });
const Begun = z.object({ transactionId: z.string() });

function failureOf(reply: { json(): unknown }): { code: string } {
  return Failure.parse(reply.json()).error;
}

/** Privileged, so that nothing but the broker and the session stands in the way. */
const LOGIN = { username: 'boss', password: randomBytes(8).toString('hex') };

let database: TestDatabase;
let broker: TestBroker;

beforeAll(async () => {
  database = await startTestDatabase();
  const { admin } = database;
  await admin.query("CREATE USER boss@'%' IDENTIFIED BY ?", [LOGIN.password]);
  await admin.query("GRANT ALL PRIVILEGES ON *.* TO boss@'%' WITH GRANT OPTION");
  await admin.query('CREATE TABLE app.t (a INT)');
  await admin.query('CREATE PROCEDURE app.p() SELECT 1');
  await admin.query('CREATE PROCEDURE app.w() INSERT INTO app.t VALUES (1)');
  broker = await startTestBroker(database, { databases: { default: { credentials: LOGIN } } });
});

afterAll(async () => {
  await broker.stop();
  await database.stop();
});

async function ask(sql: string, path = '/v1/databases/default/query') {
  return await broker.post(path, { sql }, broker.keys.reader);
}

/** What a READ ONLY session runs on one server or both, whoever has the privilege. */
const ADMINISTERING = [
  ...[
    'FLUSH TABLES WITH READ LOCK',
    'FLUSH STATUS',
    'flush /* a */ privileges',
    'FLUSH LOGS',
    '/*! FLUSH STATUS */',
  ],
  ...['STOP REPLICA', 'STOP SLAVE', 'START REPLICA', "CHANGE MASTER TO MASTER_HOST = 'a'"],
  ...["CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'a'", 'CHANGE REPLICATION FILTER REPLICATE_DO_DB = (a)'],
  ...['RESET REPLICA', 'RESET MASTER', 'RESET BINARY LOGS AND GTIDS', 'RESET PERSIST', 'RESET QUERY CACHE'],
  ...['PURGE BINARY LOGS BEFORE NOW()', "BINLOG 'a'", "INSTALL PLUGIN a SONAME 'a.so'", 'UNINSTALL PLUGIN a'],
  ...[
    'ANALYZE TABLE t',
    'ANALYZE LOCAL TABLE t',
    'OPTIMIZE TABLE t',
    'CHECK TABLE t',
    'REPAIR TABLE t',
    'CHECK VIEW v',
  ],
  ...['CACHE INDEX t IN a', 'LOAD INDEX INTO CACHE t', "IMPORT TABLE FROM 'a'"],
  ...[
    'LOCK INSTANCE FOR BACKUP',
    'UNLOCK INSTANCE',
    'BACKUP STAGE START',
    'BACKUP LOCK t',
    "CLONE LOCAL DATA DIRECTORY '/a'",
  ],
  ...['CREATE RESOURCE GROUP a TYPE = USER', 'ALTER RESOURCE GROUP a VCPU = 0', 'DROP RESOURCE GROUP a'],
  ...[
    'ALTER /*!99999 TABLE */ RESOURCE GROUP a VCPU = 0',
    'ALTER INSTANCE RELOAD TLS',
    'START GROUP_REPLICATION',
  ],
  ...['(FLUSH STATUS)', 'GLUB', '`SELECT` 1', "INSTALL SONAME 'a'"],
];

test.each(ADMINISTERING)('a caller with read access may not run %s', async (sql) => {
  const reply = await ask(sql);
  expect(reply.status).toBe(400);
  const failure = failureOf(reply);
  expect(failure).toMatchObject({ code: 'READ_ONLY_VIOLATION', outcome: 'not_applied', retryable: false });
  expect(failure).not.toHaveProperty('mysql');
});

test('a caller with write access may, with such a login', async () => {
  for (const sql of ['FLUSH STATUS', 'ANALYZE TABLE t']) {
    expect(await broker.post('/v1/databases/default/query', { sql })).toMatchObject({ status: 200 });
  }
});

describe('what is left to the READ ONLY session', () => {
  test.each([
    ...[
      'INSERT INTO t VALUES (1)',
      'UPDATE t SET a = 1',
      'DELETE FROM t',
      'REPLACE INTO t VALUES (1)',
      'TRUNCATE t',
    ],
    ...['CREATE TABLE u (a INT)', 'CREATE OR REPLACE VIEW v AS SELECT 1', 'CREATE UNIQUE INDEX i ON t (a)'],
    ...[
      'ALTER TABLE t ADD b INT',
      'DROP TABLE t',
      'RENAME TABLE t TO u',
      'CREATE DATABASE u',
      'DROP DATABASE app',
    ],
    ...[
      "CREATE USER a IDENTIFIED BY 'a'",
      'DROP USER boss',
      "GRANT SELECT ON app.* TO boss@'%'",
      'CREATE ROLE r',
    ],
    ...["REVOKE SELECT ON app.* FROM boss@'%'", 'CREATE PROCEDURE q() SELECT 1', 'DROP PROCEDURE p'],
    ...[
      "LOAD DATA INFILE '/a' INTO TABLE t",
      'CALL w()',
      'SELECT * FROM t FOR UPDATE',
      'DELETE FROM mysql.user',
    ],
  ])('is stopped there: %s', async (sql) => {
    expect(failureOf(await ask(sql))).toMatchObject({ code: 'READ_ONLY_VIOLATION', mysql: { errno: 1792 } });
  });

  test.each([
    ...[
      'SELECT 1',
      '(SELECT 1)',
      'WITH a AS (SELECT 1) SELECT * FROM a',
      'SHOW TABLES',
      'DESC t',
      'EXPLAIN SELECT * FROM t',
    ],
    ...[
      'CHECKSUM TABLE t',
      "HELP 'select'",
      'DO 1',
      'CALL p()',
      'SELECT /*!40001 SQL_NO_CACHE */ 1',
      'SHOW WARNINGS',
    ],
  ])('runs: %s', async (sql) => {
    expect(await ask(sql)).toMatchObject({ status: 200 });
  });
});

test('in transactions of a caller with read access too', async () => {
  const begun = await broker.post('/v1/databases/default/transactions', {}, broker.keys.reader);
  const { transactionId } = Begun.parse(begun.json());
  const path = `/v1/transactions/${transactionId}`;
  const codes = [];
  for (const sql of [
    "PREPARE f FROM 'FLUSH STATUS'",
    'FLUSH STATUS',
    'UNLOCK INSTANCE',
    'SET @a = 1',
    'SAVEPOINT a',
  ]) {
    const reply = await ask(sql, `${path}/query`);
    codes.push(reply.status === 200 ? 200 : failureOf(reply).code);
  }
  expect(codes).toEqual([
    'STATEMENT_NOT_ALLOWED',
    'STATEMENT_NOT_ALLOWED',
    'STATEMENT_NOT_ALLOWED',
    200,
    200,
  ]);
  await broker.post(`${path}/rollback`, {}, broker.keys.reader);
  const whole = await broker.post(
    '/v1/databases/default/transaction',
    { statements: [{ sql: 'SELECT 1' }, { sql: 'ANALYZE SELECT 1' }, { sql: 'FLUSH STATUS' }] },
    broker.keys.reader,
  );
  expect(failureOf(whole)).toMatchObject({ code: 'STATEMENT_NOT_ALLOWED', details: { index: 2 } });
});
