import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseSqlMode } from '../../../lib/mysql/sql/lexer/sql-mode.ts';
import { scanStatement } from '../../../lib/mysql/sql/statement-scan.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { fc } from '../../support/random.ts';

/** More of them for a longer look: PLANTED_RUNS=20000. */
const RUNS = Number(process.env.PLANTED_RUNS ?? 300);

/** Another caller's: what it left on its connection must not show in what comes next. */
const PLANTED = [
  "SET @planted = 'planted'",
  "SELECT GET_LOCK('planted', 0)",
  'SELECT NEXT VALUE FOR s',
  'INSERT INTO other (a) VALUES (40), (41), (42)',
  "SELECT SQL_CALC_FOUND_ROWS *, CAST('planted' AS SIGNED) FROM other LIMIT 2",
];

/** Different each time that one looks, whoever looks. */
const VOLATILE =
  /\b(?:NOW|SYSDATE|CURTIME|CURRENT_TIME|CURRENT_TIMESTAMP|LOCALTIME|LOCALTIMESTAMP|UTC_TIME|UTC_TIMESTAMP|UNIX_TIMESTAMP|RAND|UUID|UUID_SHORT|UUID_V4|UUID_V7|SYS_GUID|CONNECTION_ID|BENCHMARK|SLEEP|RANDOM_BYTES|ENCRYPT|AES_ENCRYPT|DES_ENCRYPT|PASSWORD)\b/i;

let database: TestDatabase;
let planted: Connection;
let fresh: Connection;
/** What the server's own help knows. */
let functions: readonly string[];

beforeAll(async () => {
  database = await startTestDatabase();
  const { admin } = database;
  await admin.query('CREATE TABLE app.t (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b TEXT, KEY k (a))');
  await admin.query(
    'CREATE TABLE app.other (id INT AUTO_INCREMENT PRIMARY KEY, a INT) AUTO_INCREMENT = 7777',
  );
  await admin.query("INSERT INTO app.t VALUES (1, 1, 'one'), (2, 2, 'two'), (4, 4, NULL), (8192, 8, 'x')");
  if (database.server.flavour === 'mariadb') await admin.query('CREATE SEQUENCE app.s START WITH 333');
  const topics = await admin.query('SELECT name FROM mysql.help_topic');
  functions = topics.map(({ name }) => String(name)).filter((name) => /^[A-Z_0-9]+$/.test(name));
  planted = await connect();
  fresh = await connect();
  // All of it that this server can do.
  for (const sql of PLANTED) await planted.query(sql).catch(() => undefined);
});

afterAll(async () => {
  await planted.end();
  await fresh.end();
  await database.stop();
});

async function connect(): Promise<Connection> {
  const { host, port } = database.server;
  const flags = ['-IGNORE_SPACE'];
  const connection = await createConnection({ host, port, ...database.app, rowsAsArray: true, flags });
  await connection.query("SET NAMES utf8mb4, sql_mode = '', sql_auto_is_null = 0");
  return connection;
}

async function answerOf(connection: Connection, sql: string): Promise<string> {
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return JSON.stringify(Array.isArray(rows) ? rows : 'ok');
  } catch (error) {
    return `error ${Object(error).errno}`;
  }
}

/** What only statements that are not plain can read. */
async function stateOf(connection: Connection): Promise<string> {
  return await answerOf(connection, "SELECT @planted, IS_USED_LOCK('planted') = CONNECTION_ID(), @@sql_mode");
}

function isPlain(sql: string): boolean {
  const scan = scanStatement(sql, parseSqlMode(''));
  return scan.isPlain && scan.unreadable === undefined && !scan.hasSeveralStatements;
}

/** The same answer in both sessions, and nothing of the other caller's is gone. */
async function expectTheSame(sql: string): Promise<void> {
  const isRead = sql.includes('SELECT') && !/INSERT|REPLACE|UPDATE t|DELETE/.test(sql);
  const before = await stateOf(planted);
  const answer = await answerOf(planted, sql);
  expect(await stateOf(planted), sql).toBe(before);
  if (!isRead) await restore();
  expect(answer, sql).toBe(await answerOf(fresh, sql));
  if (isRead) return;
  await restore();
  await planted.query('INSERT INTO other (a) VALUES (40), (41)');
}

async function restore(): Promise<void> {
  await database.admin.query('TRUNCATE app.t');
  await database.admin.query(
    "INSERT INTO app.t VALUES (1, 1, 'one'), (2, 2, 'two'), (4, 4, NULL), (8192, 8, 'x')",
  );
}

test('the state is planted', async () => {
  const shown = await answerOf(planted, 'SELECT @planted, LAST_INSERT_ID()');
  expect(shown).toBe('[["planted",7777]]');
});

test('no function of the server that is called plain shows another caller', async () => {
  expect(functions.length).toBeGreaterThan(150);
  let compared = 0;
  for (const name of functions) {
    for (const values of ['', '1', "'planted', 0", 'id', '1, 2, 3']) {
      const sql = `SELECT ${name}(${values}) FROM t`;
      if (VOLATILE.test(sql) || !isPlain(sql)) continue;
      compared += 1;
      await expectTheSame(sql);
    }
  }
  expect(compared).toBeGreaterThan(250);
}, 60_000);

const READING = [
  ...[
    'LAST_INSERT_ID()',
    'LAST_INSERT_ID(id)',
    'FOUND_ROWS()',
    'ROW_COUNT()',
    '@planted',
    '@@last_insert_id',
    '@@identity',
  ],
  ...[
    '@@warning_count',
    '@@insert_id',
    "IS_USED_LOCK('planted')",
    "IS_FREE_LOCK('planted')",
    'LASTVAL(s)',
    'NEXTVAL(s)',
  ],
  ...[
    'PREVIOUS VALUE FOR s',
    'NEXT VALUE FOR s',
    's.currval',
    'LAST_INSERT_ID ()',
    '`LAST_INSERT_ID`()',
    'SQL%ROWCOUNT',
  ],
  ...[
    "@planted := 'other'",
    "RELEASE_LOCK('planted')",
    'RELEASE_ALL_LOCKS()',
    'LAST_VALUE(LAST_INSERT_ID())',
    '{fn ROW_COUNT()}',
  ],
];
const HARMLESS = [
  'id',
  'a',
  '1',
  'COUNT(*)',
  'MAX(id)',
  'IFNULL(b, 1)',
  'CAST(a AS CHAR(9))',
  '(SELECT MAX(a) FROM t)',
  'a IN (1, 2)',
];
const value = fc.oneof(fc.constantFrom(...READING), fc.constantFrom(...HARMLESS, ...HARMLESS));
/** V stands for a value. */
const SHAPES = [
  ...[
    'SELECT V FROM t',
    'SELECT V, V FROM t WHERE V',
    '(SELECT V FROM t) ORDER BY V',
    'SELECT id FROM t ORDER BY V & id FOR UPDATE',
  ],
  ...[
    'WITH c AS (SELECT 1 x) (SELECT id FROM t) ORDER BY V & id FOR UPDATE',
    'WITH c AS (SELECT V x) SELECT x FROM c',
  ],
  ...[
    'WITH c (x) AS (SELECT V) SELECT V FROM c',
    'WITH RECURSIVE c (x) AS (SELECT 1 UNION SELECT x + 1 FROM c WHERE x < 3) SELECT V FROM t, c',
  ],
  ...[
    'WITH c AS (SELECT 1), d (y) AS (SELECT V) SELECT * FROM d',
    'WITH c AS (SELECT V) (WITH d AS (SELECT V) SELECT V)',
  ],
  ...[
    '((SELECT V) UNION (SELECT V))',
    'SELECT * FROM (SELECT V) AS x (y)',
    'SELECT * FROM (SELECT V AS y) x WHERE y = V',
  ],
  ...[
    'SELECT SUM(a) OVER (ORDER BY V) FROM t',
    'SELECT SUM(a) OVER w FROM t WINDOW w AS (ORDER BY V)',
    'VALUES (V)',
    'VALUES ROW(V)',
  ],
  ...[
    'SELECT a FROM t USE INDEX (k) WHERE a = V',
    'SELECT a FROM t GROUP BY a HAVING V',
    'SELECT V FROM t LIMIT 1',
    'TABLE t',
  ],
  ...[
    'SELECT V FROM t PROCEDURE ANALYSE()',
    "SELECT * FROM JSON_TABLE(V, '$' COLUMNS (x INT PATH '$')) AS j",
    'SELECT * FROM t WHERE id IS NULL',
  ],
  ...[
    'INSERT INTO t (a) VALUES (V) RETURNING id',
    'INSERT INTO t SET a = V',
    'INSERT INTO t (id) VALUES (1) ON DUPLICATE KEY UPDATE b = V',
  ],
  ...[
    'REPLACE INTO t (id, b) SELECT 1, V',
    'UPDATE t SET b = V WHERE V',
    'DELETE FROM t WHERE id = V',
    'DELETE FROM t WHERE V RETURNING V',
  ],
  ...[
    'SELECT V INTO @planted',
    'SELECT SQL_CALC_FOUND_ROWS V FROM t',
    'SELECT CASE V WHEN V THEN V ELSE V END',
    'SELECT (V), (V)(V)',
  ],
];
const statement = fc
  .tuple(fc.constantFrom(...SHAPES), fc.array(value, { minLength: 4, maxLength: 4 }))
  .map(([shape, values]) => values.reduce((sql, text) => sql.replace(/\bV\b/, () => text), shape));

test(
  'no statement that is called plain shows another caller or takes anything of his',
  async () => {
    let plain = 0;
    let others = 0;
    const property = fc.asyncProperty(statement, async (sql) => {
      if (!isPlain(sql)) {
        others += 1;
        return;
      }
      plain += 1;
      await expectTheSame(sql);
    });
    await fc.assert(property, { numRuns: RUNS });
    expect(plain).toBeGreaterThan(RUNS / 10);
    expect(others).toBeGreaterThan(RUNS / 10);
  },
  60_000 + RUNS * 50,
);
