import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type DatabaseOverrides, startTestBroker, type TestBroker } from '../../support/broker.ts';
import { type CertificateFiles, replaceCertificate, TestAuthority } from '../../support/certificates.ts';
import { startOwnDatabase } from '../../support/database/own-database.ts';
import { eventually, http } from '../../support/http.ts';
import { FakeSecretsManager } from '../../support/rotation/secrets-manager.ts';

const authority = new TestAuthority();
const otherAuthority = new TestAuthority('Other CA');
const served = authority.issue();
const database = await startOwnDatabase({
  extraArguments: [`--ssl-ca=${authority.ca}`, `--ssl-cert=${served.cert}`, `--ssl-key=${served.key}`],
});
const folder = mkdtempSync(join(tmpdir(), 'faults-'));
afterAll(async () => {
  await database.stop();
  for (const each of [authority, otherAuthority]) each[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});
const { admin, app, server } = database;
const isMysql = server.flavour === 'mysql';
const SECRET = 'a-password-that-no-log-shows';

type Line = Readonly<Record<string, unknown>>;

const linesOf = (broker: TestBroker): Line[] => broker.logs.map((line) => JSON.parse(line) as Line);

async function untilLogged(broker: TestBroker, msg: RegExp, database = 'broken'): Promise<Line> {
  const found = await eventually(
    async () => linesOf(broker).find((line) => line.database === database && msg.test(String(line.msg))),
    (line) => line !== undefined,
    20_000,
  );
  return found ?? {};
}

/** A broker with a database that works and one that does not. */
async function brokerWith(broken: DatabaseOverrides): Promise<TestBroker> {
  const broker = await startTestBroker(database, { databases: { broken } });
  onTestFinished(broker.stop);
  return broker;
}

const asAdmin = async (broker: TestBroker, path: string) =>
  (await http(`${broker.url}${path}`, { headers: { authorization: `Bearer ${broker.keys.admin}` } })).json();

async function silentPort(): Promise<number> {
  const silent = createServer((socket) => socket.on('error', () => socket.destroy()));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => {
    silent.close();
  });
  const address = silent.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

async function unusedPort(): Promise<number> {
  const unused = createServer().listen(0, '127.0.0.1');
  await once(unused, 'listening');
  const address = unused.address();
  unused.close();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

function fileWith(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function userWith(user: string, terms: string): Promise<DatabaseOverrides> {
  await admin.createUser({ user, password: SECRET, database: app.database });
  await admin.query(`ALTER USER '${user}'@'%' ${terms}`);
  return { credentials: { username: user, password: SECRET } };
}

async function secretOf(prepare: (secrets: FakeSecretsManager) => void): Promise<DatabaseOverrides> {
  const secrets = await FakeSecretsManager.start();
  onTestFinished(() => secrets[Symbol.asyncDispose]());
  for (const [name, value] of Object.entries(secrets.environment)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  prepare(secrets);
  return { credentials: { secretId: 'prod/shop' } };
}

async function serve(certificate: CertificateFiles): Promise<void> {
  replaceCertificate(certificate, served);
  await admin.query(isMysql ? 'ALTER INSTANCE RELOAD TLS' : 'FLUSH SSL');
}

interface Case {
  readonly what: string;
  readonly broken: () => DatabaseOverrides | Promise<DatabaseOverrides>;
  readonly code?: 'DATABASE_UNREACHABLE' | 'CREDENTIALS_REFUSED';
  readonly cause: unknown;
  readonly errno?: number;
}

const CASES: readonly Case[] = [
  {
    what: 'a wrong password',
    broken: () => ({ credentials: { username: app.user, password: SECRET } }),
    code: 'CREDENTIALS_REFUSED',
    cause: 'login_refused',
    errno: 1045,
  },
  {
    what: 'an account that is locked',
    broken: async () => await userWith('locked', 'ACCOUNT LOCK'),
    code: 'CREDENTIALS_REFUSED',
    cause: 'account_locked',
    errno: isMysql ? 3118 : 4151,
  },
  {
    what: 'a password that has expired',
    broken: async () => await userWith('expired', 'PASSWORD EXPIRE'),
    code: 'CREDENTIALS_REFUSED',
    cause: 'password_expired',
    errno: isMysql ? 1862 : 1820,
  },
  {
    what: 'a port at which nothing listens',
    broken: async () => ({ port: await unusedPort() }),
    cause: 'connection_refused',
  },
  {
    what: 'a host name that is not known',
    broken: () => ({ host: 'no-such-host.invalid' }),
    cause: expect.stringMatching(/^(host_not_found|name_lookup_failed)$/),
  },
  {
    what: 'a host that takes the connection and never answers',
    broken: async () => ({ port: await silentPort(), pool: { checkoutTimeoutMs: 500 } }),
    cause: 'connect_timeout',
  },
  {
    what: 'a schema that is not there',
    broken: () => ({
      database: 'nowhere',
      credentials: { username: server.user, password: server.password },
    }),
    cause: 'database_unknown',
    errno: 1049,
  },
  {
    what: 'a schema that the account may not use',
    broken: () => ({ database: 'mysql' }),
    cause: 'database_denied',
    errno: 1044,
  },
  {
    what: 'an account that has all of its connections',
    broken: async () => {
      const few = await userWith('few', 'WITH MAX_USER_CONNECTIONS 1');
      const { host, port } = server;
      const held = await createConnection({ host, port, user: 'few', password: SECRET });
      onTestFinished(async () => await held.end());
      return few;
    },
    cause: 'account_full',
    errno: 1226,
  },
  {
    what: 'a certificate of another CA',
    broken: () => ({ tls: { ca: otherAuthority.ca } }),
    cause: 'certificate_untrusted',
  },
  {
    what: 'a certificate for another host name',
    broken: () => ({ tls: { ca: authority.ca, serverName: 'other.example' } }),
    cause: 'certificate_host_mismatch',
  },
  // MySQL takes none into use that has expired.
  ...(isMysql
    ? []
    : [
        {
          what: 'a certificate that has expired',
          broken: async () => {
            await serve(authority.issue({ days: -1 }));
            return { tls: { ca: authority.ca } };
          },
          cause: 'certificate_expired',
        },
      ]),
  {
    what: 'a server without TLS',
    broken: async () => {
      const plain = await startOwnDatabase({ extraArguments: [isMysql ? '--tls-version=' : '--skip-ssl'] });
      onTestFinished(plain.stop);
      return { port: plain.server.port, tls: 'verify' };
    },
    cause: 'tls_not_supported',
  },
  {
    what: 'an account whose plugin the broker does not have',
    broken: async () => {
      const plugin = isMysql ? 'sha256_password' : 'mysql_old_password';
      await admin.query(`CREATE USER 'odd'@'%' IDENTIFIED WITH ${plugin}`);
      return { credentials: { username: 'odd', password: SECRET } };
    },
    code: 'CREDENTIALS_REFUSED',
    cause: expect.stringMatching(/^(auth_plugin_\w+|login_refused|auth_failed)$/),
  },
  {
    what: 'a file of CAs that is not there',
    broken: () => ({ tls: { ca: join(folder, 'nowhere.pem') } }),
    cause: 'ca_file_unusable',
  },
  {
    what: 'a time zone that the server does not have',
    broken: () => ({ session: { timeZone: 'Nowhere/City' } }),
    cause: 'session_setting_refused',
    errno: 1298,
  },
  {
    what: 'a session variable that the server does not know',
    broken: () => ({ session: { variables: { no_such_variable: 1 } } }),
    cause: 'session_setting_refused',
    errno: 1193,
  },
  {
    what: 'a file of credentials that is not there',
    broken: () => ({ credentials: { file: join(folder, 'nowhere.json') } }),
    code: 'CREDENTIALS_REFUSED',
    cause: 'credentials_file_unreadable',
  },
  {
    what: 'a file of credentials that is not JSON',
    broken: () => ({ credentials: { file: fileWith('text.json', `password=${SECRET}`) } }),
    code: 'CREDENTIALS_REFUSED',
    cause: 'credentials_not_json',
  },
  {
    what: 'a file of credentials without a user name',
    broken: () => ({ credentials: { file: fileWith('half.json', JSON.stringify({ password: SECRET })) } }),
    code: 'CREDENTIALS_REFUSED',
    cause: 'credentials_incomplete',
  },
  {
    what: 'a secret that is not there',
    broken: async () => await secretOf(() => undefined),
    code: 'CREDENTIALS_REFUSED',
    cause: 'secret_not_found',
  },
  {
    what: 'a secret that the broker may not read',
    broken: async () =>
      await secretOf((secrets) => {
        secrets.trouble = 'AccessDeniedException';
      }),
    code: 'CREDENTIALS_REFUSED',
    cause: 'secret_access_denied',
  },
  {
    what: 'Secrets Manager that cannot be reached',
    broken: async () =>
      await secretOf((secrets) => {
        secrets.trouble = 'unreachable';
      }),
    cause: 'secrets_manager_unavailable',
  },
];

test("the operator's page explains each of these causes", () => {
  const page = readFileSync(join(import.meta.dirname, '../../../lib/broker/operate.md'), 'utf8');
  for (const { cause, errno } of CASES) {
    if (typeof cause === 'string') expect(page).toContain(`\`${cause}\``);
    if (errno !== undefined) expect(page).toContain(String(errno));
  }
});

describe.each(CASES)('$what', ({ broken, code = 'DATABASE_UNREACHABLE', cause, errno }) => {
  test('is told before anybody calls, to admins, and with each call', { timeout: 30_000 }, async () => {
    const broker = await brokerWith(await broken());

    const warning = await untilLogged(broker, /^a database cannot be logged in to$/);
    const facts = { code, cause, ...(errno !== undefined && { errno }) };
    expect(warning).toMatchObject({
      ...facts,
      level: 40,
      since: expect.stringMatching(/^\d{4}-.*Z$/),
      times: 1,
      failedCalls: 0,
      error: expect.any(String),
    });
    if (!String(cause).startsWith('secret')) expect(warning.host).toEqual(expect.any(String));

    const failing = { ...facts, since: warning.since, message: warning.error };
    expect(await asAdmin(broker, '/v1/databases/broken')).toMatchObject({ lastFailure: failing });
    const ready = (await asAdmin(broker, '/readyz')) as { details: Line };
    expect(ready.details.broken).toMatchObject({ since: expect.any(String), lastFailure: failing });
    expect((await http(`${broker.url}/readyz`)).text).not.toContain('details');

    const reply = await broker.post('/v1/databases/broken/query', { sql: 'SELECT 1', timeoutMs: 1_000 });
    expect(reply.status).toBeGreaterThanOrEqual(500);
    const line = linesOf(broker).findLast(({ msg, database }) => msg === 'request' && database === 'broken');
    expect(line).toMatchObject({
      level: 50,
      status: reply.status,
      cause,
      ...(errno !== undefined && { errno }),
      queueMs: expect.any(Number),
      durationMs: expect.any(Number),
    });

    const told = [...broker.logs, JSON.stringify(ready), reply.text].join('');
    for (const secret of [SECRET, app.password, server.password]) expect(told).not.toContain(secret);
  });
});
