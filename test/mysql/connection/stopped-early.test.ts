import { afterAll, beforeAll, expect, test } from 'vitest';
import { CancelSource } from '../../../lib/async/cancellation.ts';
import { Deadline } from '../../../lib/async/deadline.ts';
import { buildCredentialsSources } from '../../../lib/credentials/build-sources.ts';
import { MysqlConnector } from '../../../lib/mysql/connection/connector.ts';
import { KillConnection } from '../../../lib/mysql/connection/kill/kill-channel.ts';
import type { MysqlConnection } from '../../../lib/mysql/connection/mysql-connection.ts';
import { parseSettings } from '../../../lib/settings/parse-settings.ts';
import { settingsFor } from '../../support/broker.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';

let database: TestDatabase;
let connection: MysqlConnection;
const control = new KillConnection();

beforeAll(async () => {
  database = await startTestDatabase();
  const settings = parseSettings(settingsFor(database));
  const [source] = [...buildCredentialsSources(settings).values()];
  const alias = settings.databases.default;
  if (source === undefined || alias === undefined) throw new Error('no database in the settings');
  connection = await new MysqlConnector(alias, source, () => control).open(5_000);
});

afterAll(async () => {
  await connection.close();
  await control.close();
  await database.stop();
});

/** A statement that no one else sends, so that the server's own count tells whether it came. */
async function run(signal: CancelSource, isReadOnly: boolean): Promise<unknown> {
  return await connection.query('DO 1', {
    limits: { maxRows: 1, maxResultBytes: 1_000 },
    deadline: Deadline.after(5_000),
    signal,
    isReadOnly,
    isPlain: false,
    cannotWrite: false,
    effect: 'anything',
  });
}

async function received(command: 'do' | 'kill' = 'do'): Promise<number> {
  const [row] = await database.admin.query(`SHOW GLOBAL STATUS LIKE 'Com_${command}'`);
  return Number(row?.Value);
}

test('a statement that was stopped before it began is neither sent nor killed', async () => {
  const before = await received();
  const killsBefore = await received('kill');
  const stop = new CancelSource();
  stop.cancel(new Error('the caller has gone'));
  await expect(run(stop, false)).rejects.toThrow('the caller has gone');
  expect(await received()).toBe(before);
  expect(await received('kill')).toBe(killsBefore);
  await run(new CancelSource(), false);
  expect(await received()).toBe(before + 1);
});

test('a statement that is stopped while the session is made ready for it is not sent', async () => {
  const before = await received();
  const stop = new CancelSource();
  const asked = run(stop, true);
  stop.cancel(new Error('the caller has gone'));
  await expect(asked).rejects.toThrow('the caller has gone');
  await connection.reset();
  expect(await received()).toBe(before);
  await run(new CancelSource(), false);
  expect(await received()).toBe(before + 1);
});
