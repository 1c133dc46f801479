import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deadline } from '../../../lib/async/deadline.ts';
import { buildCredentialsSources } from '../../../lib/credentials/build-sources.ts';
import { MysqlConnector } from '../../../lib/mysql/connection/connector.ts';
import { KillConnection } from '../../../lib/mysql/connection/kill/kill-channel.ts';
import type { MysqlConnection } from '../../../lib/mysql/connection/mysql-connection.ts';
import { rowsOf } from '../../../lib/mysql/result/result-collector.ts';
import { parseSettings } from '../../../lib/settings/parse-settings.ts';
import { settingsFor } from '../../support/broker.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';

let database: TestDatabase;
let connection: MysqlConnection;
let open: () => Promise<MysqlConnection>;

beforeAll(async () => {
  database = await startTestDatabase();
  await database.admin.query('CREATE TABLE app.t (a INT)');
  const settings = parseSettings(settingsFor(database));
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

async function query(sql: string, isPlain = false, on = connection): Promise<unknown> {
  const limits = { maxRows: 10, maxResultBytes: 1_000 };
  const deadline = Deadline.after(5_000);
  const terms = {
    limits,
    deadline,
    isPlain,
    isReadOnly: false,
    cannotWrite: false,
    signal: undefined,
    effect: 'all_or_nothing',
  } as const;
  return rowsOf(await on.query(sql, terms));
}

test('a new connection needs no reset, nor one that ran plain statements', async () => {
  expect(connection.needsReset).toBe(false);
  await query('SELECT 1', true);
  expect(connection.needsReset).toBe(false);
  const running = query('SELECT SLEEP(0.01)', true);
  expect(connection.needsReset).toBe(true);
  await running;
  expect(connection.needsReset).toBe(false);
  await query('SELECT 1');
  await query('SELECT 1', true);
  expect(connection.needsReset).toBe(true);
  await connection.reset();
  expect(connection.needsReset).toBe(false);
});

test.each([['locked tables', 'LOCK TABLES t READ', 'INSERT INTO t VALUES (1)', []]])(
  'a reset removes %s',
  async (_what, leave, look, expected) => {
    await query(leave);
    await connection.reset();
    expect(await query(look)).toEqual(expected);
  },
);

test('a connection on which what we send is taken for another character set serves nobody any more', async () => {
  const other = await open();
  await query('SET NAMES utf8mb4', false, other);
  expect(other.isUsable).toBe(true);
  await query('SET NAMES latin1', false, other);
  expect(other.isUsable).toBe(false);
  await other.close();
});
