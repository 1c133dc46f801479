import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildCredentialsSources } from '../../../lib/credentials/build-sources.ts';
import { connectVerdict } from '../../../lib/mysql/connect-errors.ts';
import { MysqlConnector } from '../../../lib/mysql/connection/connector.ts';
import { KillConnection } from '../../../lib/mysql/connection/kill/kill-channel.ts';
import { parseSettings } from '../../../lib/settings/parse-settings.ts';
import { settingsFor } from '../../support/broker.ts';
import { startTestDatabase } from '../../support/database/database.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

const database = await startTestDatabase();
afterAll(database.stop);

const { admin } = database;
const isMysql = database.server.flavour === 'mysql';

async function open(overrides: object, timeoutMs = 5_000): Promise<void> {
  const settings = parseSettings(settingsFor(database, { databases: { default: overrides } }));
  const [source] = [...buildCredentialsSources(settings).values()];
  const alias = settings.databases.default;
  if (source === undefined || alias === undefined) throw new Error('no database in the settings');
  const connection = await new MysqlConnector(alias, source, () => new KillConnection()).open(timeoutMs);
  await connection.close();
}

async function failureOf(overrides: object, timeoutMs?: number): Promise<unknown> {
  return await open(overrides, timeoutMs).then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

describe('a setting of the session that the server refuses is named, and trying again does not help:', () => {
  test.each<[string, object, number]>([
    ['session.timeZone', { timeZone: 'Nowhere/Atlantis' }, 1298],
    ['session.collation', { collation: 'utf8mb4_klingon_ci' }, 1273],
    ['session.variables.no_such_variable', { variables: { no_such_variable: 1 } }, 1193],
    ['session.variables.lock_wait_timeout', { variables: { lock_wait_timeout: 'long' } }, 1232],
    ['session.variables.transaction_isolation', { variables: { transaction_isolation: 'NONE' } }, 1231],
    ['session.variables.version', { variables: { version: 'mine' } }, 1238],
    ['session.variables.max_connections', { variables: { max_connections: 5 } }, 1229],
    ['session.variables.sql_log_bin', { variables: { wait_timeout: 600, sql_log_bin: 0 } }, 1227],
  ])('%s', async (setting, session, errno) => {
    const failure = await failureOf({ session });

    expect(failure).toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      message: `The database refused a setting of the session (${setting}, error ${errno})`,
      retryable: false,
      details: { cause: 'session_setting_refused', setting, errno },
    });
    expect(connectVerdict(failure)).toBe('refused');
  });

  test('also where the server speaks another language', async () => {
    await admin.query("SET GLOBAL lc_messages = 'fr_FR'");
    onTestFinished(async () => {
      await admin.query("SET GLOBAL lc_messages = 'en_US'");
    });

    expect(await failureOf({ session: { timeZone: 'Nowhere/Atlantis' } })).toMatchObject({
      details: { setting: 'session.timeZone', errno: 1298 },
    });
  });
});

test('a session that the server takes is opened with every kind of setting', async () => {
  const session = {
    timeZone: '+02:00',
    collation: 'utf8mb4_bin',
    variables: { lock_wait_timeout: 10, transaction_isolation: 'READ-COMMITTED' },
  };
  expect(await failureOf({ session })).toBeUndefined();
});

describe('an account with a plugin that the driver lacks is refused by the name of the plugin:', () => {
  // MySQL 9 has no such account to make; there a proxy renames the plugin, below.
  test.skipIf(isMysql)('the server itself does not serve it', async () => {
    await admin.query("CREATE USER odd@'%' IDENTIFIED VIA mysql_old_password");
    expect(await failureOf({ credentials: { username: 'odd', password: 'secret' } })).toMatchObject({
      code: 'CREDENTIALS_REFUSED',
      retryable: false,
      details: { cause: 'auth_plugin_unsupported' },
    });
  });

  test('the server asks for a plugin that is not known', async () => {
    const [asked, other] = isMysql
      ? ['sha256_password', 'krb256_password']
      : ['mysql_native_password', 'company_kerberos_auth'];
    // It is not what the greeting offers, so that the server asks for it.
    await admin.query(
      isMysql
        ? "CREATE USER strange@'%' IDENTIFIED WITH sha256_password BY 'secret'"
        : "CREATE USER strange@'%' IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('secret')",
    );
    await using proxy = await startTcpProxy({
      portOfNext: () => database.server.port,
      change: (chunk) =>
        Buffer.from(chunk.toString('latin1').replace(`\u{fe}${asked}`, `\u{fe}${other}`), 'latin1'),
    });

    const failure = await failureOf({
      port: proxy.port,
      credentials: { username: 'strange', password: 'secret' },
    });

    expect(failure).toMatchObject({
      code: 'CREDENTIALS_REFUSED',
      retryable: false,
      message: expect.stringContaining(`(${other})`),
      details: { cause: 'auth_plugin_unsupported', plugin: other },
    });
  });
});

describe('what does not answer is named:', () => {
  test.each<[string, object, boolean]>([
    ['host_not_found', { host: 'no-such-host.invalid' }, true],
    ['connection_refused', { port: 1 }, true],
    ['database_denied', { database: 'nowhere' }, false],
    ['tls_not_supported', { tls: 'skip-verify' }, false],
  ])('%s', async (cause, overrides, retryable) => {
    if (cause === 'tls_not_supported' && isMysql) return;
    expect(await failureOf(overrides)).toMatchObject({ retryable, details: { cause } });
  });

  test.each<[string, () => Server]>([
    ['connect_timeout', () => createServer(() => undefined)],
    ['connection_lost', () => createServer((socket) => socket.destroy())],
    ['not_mysql', () => createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2p1 Debian\r\n'))],
    ['connect_timeout', () => createHttpServer()],
  ])('%s', async (cause, make) => {
    const server = make();
    onTestFinished(() => void server.close());
    const failure = await failureOf({ port: await listen(server) }, 500);
    expect(failure).toMatchObject({ code: 'DATABASE_UNREACHABLE', retryable: true, details: { cause } });
    expect(connectVerdict(failure)).toBe('outage');
  });
});

test('a server that takes only TLS says so', async () => {
  await admin.query('SET GLOBAL require_secure_transport = ON');
  onTestFinished(async () => {
    await admin.query('SET GLOBAL require_secure_transport = OFF');
  });
  // MariaDB answers as if the account had been wrong.
  const cause = isMysql ? 'tls_required' : 'login_refused';
  expect(await failureOf({})).toMatchObject({ retryable: false, details: { cause } });
});
