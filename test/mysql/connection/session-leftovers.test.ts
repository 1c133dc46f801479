import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Deadline } from '../../../lib/async/deadline.ts';
import { buildCredentialsSources } from '../../../lib/credentials/build-sources.ts';
import { MysqlConnector } from '../../../lib/mysql/connection/connector.ts';
import { KillConnection } from '../../../lib/mysql/connection/kill/kill-channel.ts';
import type { MysqlConnection } from '../../../lib/mysql/connection/mysql-connection.ts';
import { rowsOf } from '../../../lib/mysql/result/result-collector.ts';
import { bindStatement } from '../../../lib/mysql/sql/binding/bind.ts';
import { parseSqlMode } from '../../../lib/mysql/sql/lexer/sql-mode.ts';
import { parseSettings } from '../../../lib/settings/parse-settings.ts';
import { settingsFor } from '../../support/broker.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';

let database: TestDatabase;
/** As root: whatever a login may be able to set. */
let connection: MysqlConnection;
let open: () => Promise<MysqlConnection>;

beforeAll(async () => {
  database = await startTestDatabase();
  await database.admin.query('CREATE TABLE app.t (id INT AUTO_INCREMENT PRIMARY KEY, a INT)');
  if (database.server.flavour === 'mariadb') await database.admin.query('CREATE SEQUENCE app.s');
  const { user: username, password } = database.server;
  const settings = parseSettings(
    settingsFor(database, { databases: { default: { credentials: { username, password } } } }),
  );
  const [source] = [...buildCredentialsSources(settings).values()];
  const alias = settings.databases.default;
  if (source === undefined || alias === undefined) throw new Error('no database in the settings');
  open = async () => await new MysqlConnector(alias, source, () => new KillConnection()).open(5_000);
  connection = await open();
});

afterAll(async () => {
  await connection.close();
  await database.stop();
});

beforeEach(async () => {
  await renew();
});

/** As between two borrowers. */
async function renew(): Promise<void> {
  await connection.reset().catch(async () => {
    connection.destroy();
    connection = await open();
    await connection.reset();
  });
}

async function rows(sql: string, on = connection): Promise<readonly (readonly unknown[])[]> {
  const result = await on.query(sql, {
    limits: { maxRows: 10_000, maxResultBytes: 10_000_000 },
    deadline: Deadline.after(30_000),
    isPlain: false,
    isReadOnly: false,
    cannotWrite: false,
    signal: undefined,
    effect: 'all_or_nothing',
  });
  return rowsOf(result);
}

/** False if the server refuses it. */
async function runs(sql: string): Promise<boolean> {
  return await rows(sql).then(
    () => true,
    () => false,
  );
}

function isAllowed(sql: string): boolean {
  try {
    bindStatement(sql, undefined, parseSqlMode(''), 'in_transaction');
    return true;
  } catch {
    return false;
  }
}

/** Moved by the server itself. */
const MOVING =
  /^(timestamp|statement_id|last_gtid|gtid_.*|rand_seed\d|error_count|warning_count|pseudo_thread_id|identity|last_insert_id|innodb_.*_now|in_transaction)$/;

async function variables(scope: 'SESSION' | 'GLOBAL'): Promise<Map<string, unknown>> {
  const found = await rows(`SHOW ${scope} VARIABLES`);
  return new Map(
    found.flatMap(([name, value]) => (MOVING.test(String(name)) ? [] : [[String(name), value]])),
  );
}

/** Values that differ from the one it has, of whatever type the variable may be. */
function othersThan(value: string): readonly string[] {
  const number = Number(value);
  const numbers =
    value === '' || Number.isNaN(number)
      ? []
      : [number + 1, number * 2 + 1_024, Math.floor(number / 2), 1, 0];
  const words = [
    '1',
    'ON',
    'OFF',
    'enabled=on',
    'utf8mb4_bin',
    'latin1',
    'MyISAM',
    'MEMORY',
    'FULL',
    'MINIMAL',
    'STATEMENT',
    'TREE',
    'fr_FR',
    'aes-256-ecb',
    '',
  ];
  return [...numbers.map(String), ...words.map((word) => `'${word}'`)];
}

test('no session variable that callers may set outlives a reset or changes the server', async () => {
  const before = { session: await variables('SESSION'), global: await variables('GLOBAL') };
  let changed = 0;
  for (const [name, value] of before.session) {
    for (const other of othersThan(String(value))) {
      const sql = `SET SESSION ${name} = ${other}`;
      if (!isAllowed(sql)) break;
      if (!(await runs(sql))) continue;
      const now = await rows(`SELECT @@SESSION.${name}`).catch(() => [[undefined]]);
      if (String(now[0]?.[0]) === String(value)) continue;
      changed += 1;
      break;
    }
    await renew();
  }
  expect(changed).toBeGreaterThan(90);
  const differences = (then: Map<string, unknown>, now: Map<string, unknown>) =>
    [...now].filter(([name, value]) => then.get(name) !== value).map(([name]) => name);
  expect(differences(before.session, await variables('SESSION'))).toEqual([]);
  expect(differences(before.global, await variables('GLOBAL'))).toEqual([]);
}, 120_000);

/** What a caller may leave behind in a transaction or alone. */
const LEFT = [
  "SET @left = 'left'",
  "SELECT GET_LOCK('left', 0)",
  'CREATE TEMPORARY TABLE left_over (a INT)',
  "PREPARE left_over FROM 'SELECT 1'",
  "SET optimizer_trace = 'enabled=on'",
  'SET profiling = 1',
  'INSERT INTO t (a) VALUES (1)',
  'SET insert_id = 777',
  'SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 0',
  "SELECT CAST('left' AS SIGNED)",
  'SELECT NEXT VALUE FOR s',
  'FLUSH TABLES WITH READ LOCK',
];

/** Where the next one could find it. */
const FOUND = [
  'SELECT @left, ROW_COUNT(), FOUND_ROWS(), LAST_INSERT_ID()',
  'SHOW WARNINGS',
  "SELECT IS_USED_LOCK('left')",
  'SELECT * FROM left_over',
  'EXECUTE left_over',
  'SELECT LASTVAL(s)',
];
const TEXTS = [
  'SELECT QUERY, TRACE FROM information_schema.OPTIMIZER_TRACE',
  'SELECT QUERY_ID FROM information_schema.PROFILING WHERE QUERY_ID < 3',
  'SHOW PROFILES',
];

test.each(['', "SET GLOBAL optimizer_trace = 'enabled=on'", 'SET GLOBAL profiling = 1'])(
  'nothing that a caller may leave is found after a reset, on a server with "%s"',
  async (setUp) => {
    if (setUp !== '') await database.admin.query(setUp);
    connection.destroy();
    connection = await open();
    for (const sql of LEFT) {
      if (sql.startsWith('FLUSH') || isAllowed(sql)) await runs(sql);
    }
    await connection.reset();
    expect(JSON.stringify(await answers(TEXTS))).not.toMatch(/left|INSERT|FLUSH/);
    const found = await answers(FOUND);
    connection.destroy();
    connection = await open();
    await connection.reset();
    await answers(TEXTS);
    expect(await answers(FOUND)).toEqual(found);
    expect(await runs('INSERT INTO t (a) VALUES (2)')).toBe(true);
    expect(Number((await rows('SELECT LAST_INSERT_ID()'))[0]?.[0])).toBeLessThan(700);
  },
);

async function answers(looks: readonly string[]): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const sql of looks) found.push(await rows(sql).catch((error: unknown) => String(error)));
  return found;
}
