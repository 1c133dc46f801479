import { afterAll, afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { Deadline } from '../../../lib/async/deadline.ts';
import { buildCredentialsSources } from '../../../lib/credentials/build-sources.ts';
import { MysqlConnector } from '../../../lib/mysql/connection/connector.ts';
import { KillConnection } from '../../../lib/mysql/connection/kill/kill-channel.ts';
import { parseSettings } from '../../../lib/settings/parse-settings.ts';
import { documentWith } from '../../settings/support/documents.ts';
import { TestAuthority } from '../../support/certificates.ts';
import { TokenServer } from './support/token-server.ts';

const authority = new TestAuthority();
afterAll(() => authority[Symbol.dispose]());

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'very-secret');
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

async function startServer(subjectAltName?: string) {
  const server = await TokenServer.start(
    authority.issue(subjectAltName === undefined ? {} : { subjectAltName }),
  );
  const settings = parseSettings(
    documentWith({
      host: 'localhost',
      port: server.port,
      credentials: { iam: { username: 'app' } },
      tls: { ca: authority.ca },
    }),
  );
  const source = buildCredentialsSources(settings).get('default');
  if (source === undefined || settings.databases.default === undefined) throw new Error('no default');
  const control = new KillConnection();
  const connector = new MysqlConnector(settings.databases.default, source, () => control);
  onTestFinished(async () => {
    await control.close();
    await server[Symbol.asyncDispose]();
  });
  const open = async () => {
    const connection = await connector.open(5_000);
    onTestFinished(() => connection.destroy());
    return connection;
  };
  return { server, source, open };
}

test('logins send a token over TLS: one for ten minutes, then another', async () => {
  const { server, source, open } = await startServer();
  const changes = vi.fn();
  source.onChange(changes);

  await Promise.all([open(), open()]);
  await open();
  expect(new Set(server.tokens).size).toBe(1);
  expect(server.tokens[0]).toMatch(
    new RegExp(`^localhost:${server.port}/\\?Action=connect&DBUser=app&.*X-Amz-Signature=[0-9a-f]{64}$`),
  );

  vi.setSystemTime(Date.now() + 600_001);
  await open();
  expect(new Set(server.tokens).size).toBe(2);
  expect(changes).not.toHaveBeenCalled();
});

test('a refused login is tried once more with a fresh token', async () => {
  const { server, open } = await startServer();
  await open();
  server.refusals = 1;
  vi.setSystemTime(Date.now() + 2_000);

  await open();

  expect(server.tokens).toHaveLength(3);
  expect(new Set(server.tokens).size).toBe(2);
});

test('a login that stays refused fails with a reason that shows nothing of the token', async () => {
  const { server, source, open } = await startServer();
  server.refusals = 100;

  const error = await open().catch((reason: unknown) => reason);

  expect(error).toMatchObject({
    code: 'CREDENTIALS_REFUSED',
    details: { errno: 1045 },
    reason: expect.stringContaining('rds-db:connect'),
  });
  expect(server.tokens).toHaveLength(2);
  expect(JSON.stringify([error, String(error), source.status(), await source.current()])).not.toMatch(
    /X-Amz/,
  );
});

test('a statement is killed over a login with a fresh token', async () => {
  const { server, open } = await startServer();
  const connection = await open();
  vi.setSystemTime(Date.now() + 3_600_000);

  const asked = connection.query('HANG', {
    deadline: Deadline.after(50),
    signal: undefined,
    limits: { maxRows: 1, maxResultBytes: 1_000 },
    isReadOnly: false,
    cannotWrite: true,
    effect: 'all_or_nothing',
    isPlain: true,
  });
  await expect(asked).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });

  await vi.waitFor(() => expect(server.statements.at(-1)?.sql).toMatch(/^KILL QUERY 1$/));
  const [loginToken, freshToken] = server.tokens;
  expect(server.tokens).toHaveLength(2);
  expect(freshToken).not.toBe(loginToken);
  expect(server.statements.at(-1)?.token).toBe(freshToken);
});

test('no token goes to a server with a certificate for another name', async () => {
  const { server, open } = await startServer('DNS:db.internal');

  await expect(open()).rejects.toMatchObject({ details: { cause: 'certificate_host_mismatch' } });
  expect(server.tokens).toEqual([]);
});
