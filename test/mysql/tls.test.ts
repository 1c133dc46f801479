import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Driver, openDriver } from '../../lib/mysql/driver.ts';
import { connectVerdict } from '../../lib/mysql/failure.ts';
import { encryptionOf } from '../../lib/mysql/tls.ts';
import type { TlsSettings } from '../../lib/settings/settings.ts';
import { type CertificateFiles, replaceCertificate, TestAuthority } from '../support/certificates.ts';
import { startTestDatabase } from '../support/database.ts';

const authority = new TestAuthority();
const otherAuthority = new TestAuthority('Other CA');
const served = authority.issue();
const good = authority.issue();
const database = await startTestDatabase({
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
  await using plain = await startTestDatabase({ extraArguments: [noTls] });
  const login = { ...loginAt('localhost'), port: plain.server.port };

  const error = await openDriver(login, encryptionOf('skip-verify'), 5_000).catch(
    (reason: unknown) => reason,
  );

  expect(error).toMatchObject(refusal('tls_not_supported'));
  expect(connectVerdict(error)).toBe('refused');
});
