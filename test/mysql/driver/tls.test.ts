import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import tls, { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { BrokerError } from '../../../lib/errors.ts';
import { connectVerdict } from '../../../lib/mysql/connect-errors.ts';
import { type Driver, openDriver } from '../../../lib/mysql/driver/open-driver.ts';
import { encryptionOf } from '../../../lib/mysql/driver/tls.ts';
import type { TlsSettings } from '../../../lib/settings/settings.ts';
import { type CertificateFiles, replaceCertificate, TestAuthority } from '../../support/certificates.ts';
import { startOwnDatabase } from '../../support/database/own-database.ts';

const authority = new TestAuthority();
const otherAuthority = new TestAuthority('Other CA');
const served = authority.issue();
const good = authority.issue();
const database = await startOwnDatabase({
  extraArguments: [`--ssl-ca=${authority.ca}`, `--ssl-cert=${served.cert}`, `--ssl-key=${served.key}`],
});
const { server, admin, app } = database;

afterAll(async () => {
  await database.stop();
  authority[Symbol.dispose]();
  otherAuthority[Symbol.dispose]();
});

async function serve(certificate: CertificateFiles): Promise<void> {
  replaceCertificate(certificate, served);
  await admin.query(server.flavour === 'mysql' ? 'ALTER INSTANCE RELOAD TLS' : 'FLUSH SSL');
}

const loginAt = (host: string) => ({
  host,
  port: server.port,
  database: app.database,
  username: app.user,
  password: app.password,
  versionId: '1',
});

async function logIn(settings: TlsSettings, host: string = server.host): Promise<Driver> {
  const driver = await openDriver(loginAt(host), encryptionOf(settings), 5_000);
  onTestFinished(() => driver.connection.destroy());
  return driver;
}

const isEncrypted = ({ connection }: Driver) =>
  'stream' in connection && connection.stream instanceof TLSSocket && connection.stream.encrypted;

async function failureOf(login: Promise<unknown>): Promise<BrokerError> {
  const failure = await login.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (failure instanceof BrokerError) return failure;
  throw new Error(`no BrokerError: ${String(failure)}`);
}

const refusal = (cause: string) => ({
  code: 'DATABASE_UNREACHABLE',
  outcome: 'not_applied',
  details: { cause },
  message: expect.not.stringMatching(/app|127\.0\.0\.1|password/),
});

describe('a server with a certificate', () => {
  test.each(['localhost', '127.0.0.1'])('is trusted by its CA under the name %s', async (host) => {
    await serve(good);

    expect(isEncrypted(await logIn({ ca: authority.ca }, host))).toBe(true);
  });

  test('is trusted under the name that the settings tell', async () => {
    await serve(authority.issue({ subjectAltName: 'DNS:db.internal' }));

    expect(isEncrypted(await logIn({ ca: authority.ca, serverName: 'db.internal' }))).toBe(true);
  });

  test.each<[string, string]>([
    ['DNS:db.internal', 'localhost'],
    ['DNS:db.internal', '127.0.0.1'],
    // What Node takes for the name of an address when nobody tells it.
    ['DNS:localhost', '127.0.0.1'],
    ['IP:127.0.0.2', '127.0.0.1'],
  ])('for %s is refused as %s', async (subjectAltName, host) => {
    await serve(authority.issue({ subjectAltName }));

    await expect(logIn({ ca: authority.ca }, host)).rejects.toMatchObject(
      refusal('certificate_host_mismatch'),
    );
  });

  // MySQL itself loads none that has expired.
  test.skipIf(server.flavour === 'mysql')('that has expired is refused', async () => {
    await serve(authority.issue({ days: -1 }));

    await expect(logIn({ ca: authority.ca })).rejects.toMatchObject(refusal('certificate_expired'));
  });

  test.each<[string, TlsSettings]>([
    ['another CA', { ca: otherAuthority.ca }],
    ['the public CAs and those of RDS', 'verify'],
  ])('is refused by %s', async (_, settings) => {
    await serve(good);

    await expect(logIn(settings)).rejects.toMatchObject(refusal('certificate_untrusted'));
  });

  test('is encrypted to, whatever its certificate, with skip-verify', async () => {
    await serve(authority.issue({ subjectAltName: 'DNS:db.internal' }));

    expect(isEncrypted(await logIn('skip-verify'))).toBe(true);
    expect(isEncrypted(await logIn('off'))).toBe(false);
  });
});

test('a CA file that changes is in force at the next login; while it is broken, its last state is', async () => {
  await serve(good);
  const ca = join(authority.folder, 'trusted.pem');
  copyFileSync(otherAuthority.ca, ca);
  const encryption = encryptionOf({ ca });
  const logInAgain = async () => {
    const driver = await openDriver(loginAt('localhost'), encryption, 5_000);
    driver.connection.destroy();
  };
  await expect(logInAgain()).rejects.toMatchObject(refusal('certificate_untrusted'));

  copyFileSync(authority.ca, ca);
  await logInAgain();
  writeFileSync(ca, 'half a cert');
  await logInAgain();
});

test('logins to one region share one secure context, and those to others have their own', async () => {
  const [one, other] = [encryptionOf('verify'), encryptionOf('verify')];
  const options = async (encryption: typeof one, region: string) =>
    (await encryption(`db.abc.${region}.rds.amazonaws.com`))?.options;

  expect(await options(one, 'eu-west-1')).toBe(await options(other, 'eu-west-1'));
  expect(await options(one, 'eu-west-1')).not.toBe(await options(one, 'us-east-1'));
});

test('a refused certificate is no outage for the pool', async () => {
  await serve(good);

  const error = await logIn({ ca: otherAuthority.ca }).catch((reason: unknown) => reason);

  expect(connectVerdict(error)).toBe('refused');
});

test('a server without TLS is refused before the login is sent', async () => {
  const noTls = server.flavour === 'mysql' ? '--tls-version=' : '--skip-ssl';
  await using plain = await startOwnDatabase({ extraArguments: [noTls] });
  const login = { ...loginAt('localhost'), port: plain.server.port };

  const error = await openDriver(login, encryptionOf('skip-verify'), 5_000).catch(
    (reason: unknown) => reason,
  );

  expect(error).toMatchObject(refusal('tls_not_supported'));
  expect(connectVerdict(error)).toBe('refused');
});

describe.each<[string, TlsSettings]>([
  ['off', 'off'],
  ['skip-verify', 'skip-verify'],
  ['a CA', { ca: authority.ca }],
])('what the server itself says of a login with TLS %s rules:', (_, settings) => {
  const as = async (change: object) =>
    await failureOf(openDriver({ ...loginAt('localhost'), ...change }, encryptionOf(settings), 5_000));
  beforeAll(async () => {
    await serve(good);
  });

  test('a wrong password', async () => {
    expect(await as({ password: 'wrong' })).toMatchObject({
      code: 'CREDENTIALS_REFUSED',
      details: { cause: 'login_refused', errno: 1045 },
    });
  });

  test('a schema that is not there', async () => {
    await admin.query("GRANT ALL ON nowhere.* TO 'app'@'%'");
    expect(await as({ database: 'nowhere' })).toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      retryable: false,
      details: { cause: 'database_unknown', errno: 1049 },
    });
  });

  test('an account that must show a certificate of its own', async () => {
    const account = { user: 'certified', password: 'certified-password', database: app.database };
    await admin.query("DROP USER IF EXISTS 'certified'@'%'");
    await admin.createUser(account);
    await admin.query("ALTER USER 'certified'@'%' REQUIRE X509");
    expect(await as({ username: account.user, password: account.password })).toMatchObject({
      code: 'CREDENTIALS_REFUSED',
      details: { cause: 'login_refused', errno: 1045 },
    });
  });

  test('no room for another connection', async () => {
    await admin.query("ALTER USER 'app'@'%' WITH MAX_USER_CONNECTIONS 1");
    onTestFinished(async () => {
      await admin.query("ALTER USER 'app'@'%' WITH MAX_USER_CONNECTIONS 0");
    });
    await logIn(settings, 'localhost');

    const failure = await as({});

    expect(failure).toMatchObject({ retryable: true, details: { cause: 'account_full', errno: 1226 } });
    expect(connectVerdict(failure)).toBe('full');
  });
});

test('a server without TLS 1.3 has no version in common with who takes no other', async () => {
  await using old = await startOwnDatabase({
    extraArguments: [`--ssl-cert=${good.cert}`, `--ssl-key=${good.key}`, '--tls-version=TLSv1.2'],
  });
  const { DEFAULT_MIN_VERSION } = tls;
  tls.DEFAULT_MIN_VERSION = 'TLSv1.3';
  onTestFinished(() => {
    tls.DEFAULT_MIN_VERSION = DEFAULT_MIN_VERSION;
  });

  const failure = await failureOf(
    openDriver({ ...loginAt('localhost'), port: old.server.port }, encryptionOf('skip-verify'), 5_000),
  );

  expect(failure).toMatchObject(refusal('tls_failed'));
});

describe.each<[string, TlsSettings]>([
  ['skip-verify', 'skip-verify'],
  ['a CA', { ca: authority.ca }],
])('with TLS %s', (_, settings) => {
  test('a connection that breaks in the handshake is lost, and no certificate is blamed', async () => {
    await serve(good);
    // The greeting and the request for TLS go through; then the server hangs up.
    const proxy = createServer((client) => {
      const peer = connect({ host: server.host, port: server.port });
      peer.once('data', (greeting) => client.write(greeting));
      client.once('data', () => client.destroy());
      client.once('close', () => peer.destroy());
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    onTestFinished(() => void proxy.close());
    const address = proxy.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;

    const failure = await failureOf(
      openDriver({ ...loginAt('localhost'), port }, encryptionOf(settings), 5_000),
    );

    expect(failure).toMatchObject({ retryable: true, details: { cause: 'connection_lost' } });
    expect(connectVerdict(failure)).toBe('outage');
  });
});
