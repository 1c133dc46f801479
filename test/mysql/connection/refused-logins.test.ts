import { afterAll, expect, test } from 'vitest';
import type { Account } from '../../../infra/local/database/database-admin.ts';
import { buildCredentialsSources } from '../../../lib/credentials/build-sources.ts';
import { MysqlConnector } from '../../../lib/mysql/connection/connector.ts';
import { KillConnection } from '../../../lib/mysql/connection/kill/kill-channel.ts';
import { parseSettings } from '../../../lib/settings/parse-settings.ts';
import { settingsFor } from '../../support/broker.ts';
import { startTestDatabase } from '../../support/database/database.ts';

const database = await startTestDatabase();
afterAll(database.stop);

const { admin } = database;
const isMysql = database.server.flavour === 'mysql';

async function logIn(app: Account): Promise<void> {
  const settings = parseSettings(settingsFor({ ...database, app }));
  const [source] = [...buildCredentialsSources(settings).values()];
  const alias = settings.databases.default;
  if (source === undefined || alias === undefined) throw new Error('no database in the settings');
  const connection = await new MysqlConnector(alias, source, () => new KillConnection()).open(5_000);
  await connection.close();
}

async function blockByFailures(account: Account): Promise<void> {
  await admin.query(
    isMysql
      ? `ALTER USER ${account.user} FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME 1`
      : 'SET GLOBAL max_password_errors = 1',
  );
  await expect(logIn({ ...account, password: 'wrong' })).rejects.toThrow();
}

async function changePassword({ user }: Account): Promise<void> {
  await admin.query(`ALTER USER ${user} IDENTIFIED BY 'another'`);
}

async function lockAccount({ user }: Account): Promise<void> {
  await admin.query(`ALTER USER ${user} ACCOUNT LOCK`);
}

async function expire({ user }: Account): Promise<void> {
  await admin.query(`ALTER USER ${user} PASSWORD EXPIRE`);
}

test.each([
  ['whose password was changed', changePassword, 1045],
  ['that is locked', lockAccount, isMysql ? 3118 : 4151],
  ['whose password has expired', expire, isMysql ? 1862 : 1820],
  ['that is blocked after too many failures', blockByFailures, isMysql ? 3955 : 4150],
])('the login of an account %s is refused, and none of its secrets is told', async (_what, spoil, errno) => {
  const account = { user: spoil.name.toLowerCase(), password: 'geheim-password', database: 'app' };
  await admin.createUser(account);
  await logIn(account);
  await spoil(account);
  await expect(logIn(account)).rejects.toMatchObject({
    code: 'CREDENTIALS_REFUSED',
    details: { errno },
    message: expect.not.stringMatching(/geheim|app/),
  });
});

test('a login to a database that is not there is no matter of the credentials', async () => {
  await expect(logIn({ ...database.app, database: 'nowhere' })).rejects.toMatchObject({
    code: 'DATABASE_UNREACHABLE',
    details: { errno: 1044 },
  });
});
