import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test, vi } from 'vitest';
import { startTestBroker } from '../../support/broker.ts';
import { TestAuthority } from '../../support/certificates.ts';
import { startOwnDatabase } from '../../support/database/own-database.ts';
import { errorOf } from '../../support/transactions.ts';

const [authority, otherAuthority] = [new TestAuthority(), new TestAuthority('Other CA')];
const { cert, key } = authority.issue();
const database = await startOwnDatabase({
  extraArguments: [`--ssl-ca=${authority.ca}`, `--ssl-cert=${cert}`, `--ssl-key=${key}`],
});
await database.admin.query("ALTER USER 'app'@'%' REQUIRE SSL");
vi.stubEnv('AWS_REGION', 'eu-west-1');
vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'very-secret');
const broker = await startTestBroker(database, {
  databases: {
    default: { tls: { ca: authority.ca }, pool: { size: 1 }, maxOverflow: 0 },
    distrustful: { tls: { ca: otherAuthority.ca } },
    iam: {
      host: 'localhost',
      tls: { ca: authority.ca },
      credentials: { iam: { username: 'app' } },
    },
  },
});

afterAll(async () => {
  await broker.stop();
  await database.stop();
  vi.unstubAllEnvs();
  for (const each of [authority, otherAuthority]) each[Symbol.dispose]();
});

const ask = async (alias: string, statement: object = { sql: 'SELECT 1' }) =>
  await broker.post(`/v1/databases/${alias}/query`, statement);
const connectionId = async () => (await broker.query('SELECT CONNECTION_ID()')).rows;

test('a statement on an account that requires TLS is killed over TLS too, and its connection lives on', async () => {
  const before = await connectionId();

  const [status] = errorOf(await ask('default', { sql: 'SELECT SLEEP(30)', timeoutMs: 200 }));

  expect(status).toBe(504);
  expect(await connectionId()).toEqual(before);
});

test('a certificate of a CA that settings do not trust is a 502 that says so', async () => {
  expect(errorOf(await ask('distrustful'))).toEqual([
    502,
    expect.objectContaining({
      code: 'DATABASE_UNREACHABLE',
      message: 'The database is not trusted: its certificate is not from a CA that the settings trust',
      details: { cause: 'certificate_untrusted' },
      outcome: 'not_applied',
    }),
  ]);
});

test('an account without IAM authentication is a 502 that says what is missing; neither it nor the settings show a token', async () => {
  const reply = await ask('iam');
  expect(errorOf(reply)).toEqual([
    502,
    expect.objectContaining({
      code: 'CREDENTIALS_REFUSED',
      reason: expect.stringContaining('rds-db:connect'),
    }),
  ]);

  const shown = await fetch(`${broker.url}/v1/databases/iam`, { headers: broker.headers(broker.keys.admin) });
  const description = await shown.text();

  expect(JSON.parse(description)).toMatchObject({
    credentials: { form: 'iam', versionId: expect.stringMatching(/^token-/) },
  });
  expect(reply.text + description + broker.logs.join('')).not.toMatch(/X-Amz|very-secret/);
});

test('the broker serves HTTPS with a certificate of its own', async () => {
  const overrides = { server: { tls: { cert, key } }, databases: { default: { tls: 'skip-verify' } } };
  const encrypted = await startTestBroker(database, overrides);
  const url = `https://localhost:${new URL(encrypted.url).port}/healthz`;
  const statusOf = async (ca: string) => {
    const [response] = await once(get(url, { ca: readFileSync(ca), agent: false, family: 4 }), 'response');
    const reply: IncomingMessage = response;
    return [reply.statusCode, JSON.parse(await text(reply))];
  };
  try {
    expect(await statusOf(authority.ca)).toEqual([200, expect.anything()]);
    await expect(statusOf(otherAuthority.ca)).rejects.toMatchObject({
      code: expect.stringMatching(/CERT|VERIFY/),
    });
  } finally {
    await encrypted.stop();
  }
});
