import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { buildBroker } from '../../../lib/broker/build-broker.ts';
import type { Caller } from '../../../lib/credentials/caller-keys.ts';
import { ROTATION_STEPS, type RotationStep } from '../../../lib/protocol/rotation.ts';
import { parseSettings } from '../../../lib/settings/parse-settings.ts';
import { settingsFor, startTestBroker } from '../../support/broker.ts';
import { startOwnDatabase } from '../../support/database/own-database.ts';
import { eventually, type HttpReply, http } from '../../support/http.ts';
import { FakeSecretsManager } from '../../support/rotation/secrets-manager.ts';

const folder = mkdtempSync(join(tmpdir(), 'rotation-'));
afterAll(() => rmSync(folder, { recursive: true }));
const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert];
execFileSync('openssl', [...request, ...subject], { stdio: 'ignore' });

const database = await startOwnDatabase({ extraArguments: [`--ssl-cert=${cert}`, `--ssl-key=${key}`] });
afterAll(database.stop);
const secrets = await FakeSecretsManager.start();
afterAll(async () => await secrets[Symbol.asyncDispose]());
for (const [name, value] of Object.entries(secrets.environment)) vi.stubEnv(name, value);
afterAll(() => vi.unstubAllEnvs());

const { admin, app, server } = database;
await admin.query("ALTER USER ?@'%' REQUIRE SSL", [app.user]);
secrets.put('master', JSON.stringify({ username: server.user, password: server.password }));
const masterarn = secrets.arnOf('master');
secrets.put('shop', JSON.stringify({ username: app.user, password: app.password, masterarn }));
secrets.put('other', JSON.stringify({ username: app.user, password: app.password }));

const tls = { ca: cert, serverName: 'localhost' };
const credentials = { secretId: 'shop' };
const databases = {
  default: { credentials, tls, pool: {} },
  second: { credentials: { secretId: secrets.arnOf('shop') }, tls, pool: {} },
};
const broker = await startTestBroker(database, { databases });
afterAll(broker.stop);

const TOKEN = '00000000-0000-4000-8000-000000000000';

async function step(name: string, event: object, caller: string = broker.keys.admin): Promise<HttpReply> {
  return await broker.post(`/v1/rotation/${name}`, event, caller);
}

function eventOf(Step: RotationStep, token: string, secret = 'shop'): object {
  return { Step, SecretId: secrets.arnOf(secret), ClientRequestToken: token, Region: 'eu-west-1' };
}

describe('POST /v1/rotation/{step}', () => {
  test('rotates over the TLS that settings ask for, and the broker uses the new user once a login with it is through', async () => {
    for (const turn of ['app_clone', 'app', 'app_clone']) {
      const token = secrets.beginRotation('shop');
      for (const name of ROTATION_STEPS) {
        const reply = await step(name, eventOf(name, token));
        expect([reply.status, reply.json()]).toEqual([200, {}]);
      }
      const shown = await http(`${broker.url}/v1/databases`, { headers: broker.headers(broker.keys.admin) });
      expect(shown.json()).toMatchObject({
        databases: [{ credentials: { versionId: token } }, { credentials: { versionId: token } }],
      });
      const currentUser = async () => (await broker.query('SELECT CURRENT_USER()')).rows[0]?.[0];
      await eventually(currentUser, (user) => user === `${turn}@%`);
    }
    const requirement = 'SELECT CONVERT(ssl_type USING utf8mb4) AS ssl_type FROM mysql.user WHERE user = ?';
    expect(await admin.query(requirement, ['app_clone'])).toEqual([{ ssl_type: 'ANY' }]);
  });

  test('is for secrets of databases only', async () => {
    for (const name of ['other', 'master']) {
      const reply = await step('createSecret', eventOf('createSecret', TOKEN, name));
      expect([reply.status, reply.json()]).toMatchObject([404, { error: { code: 'NOT_FOUND' } }]);
    }
  });

  test('is for admins only, who may use every database on the secret', async () => {
    const event = eventOf('createSecret', TOKEN);
    expect((await step('createSecret', event, broker.keys.writer)).status).toBe(403);
    const settings = parseSettings({ ...settingsFor(database, { databases }) });
    const caller: Caller = { name: 'half', access: 'admin', databases: ['default'] };
    const other = buildBroker(settings, { find: () => caller, status: () => new Map() }, { level: 'silent' });
    other.lifecycle.enter('serving');
    const url = await other.app.listen({ host: '127.0.0.1', port: 0 });
    const reply = await http(`${url}/v1/rotation/createSecret`, {
      headers: broker.headers(),
      body: JSON.stringify(event),
    });
    expect([reply.status, reply.json()]).toMatchObject([403, { error: { code: 'FORBIDDEN' } }]);
    await other.app.close();
  });

  test('knows four steps, and says what is wrong with an event', async () => {
    expect((await step('deleteSecret', eventOf('createSecret', TOKEN))).status).toBe(404);
    for (const [event, problem] of [
      [eventOf('setSecret', TOKEN), 'Step must be createSecret'],
      [{ ...eventOf('createSecret', TOKEN), Step: 'x' }, 'Step must be one of'],
      [eventOf('createSecret', 'short'), 'ClientRequestToken'],
      [{ Step: 'createSecret' }, 'SecretId'],
    ] as const) {
      const reply = await step('createSecret', event);
      expect([reply.status, reply.json()]).toMatchObject([
        400,
        { error: { code: 'INVALID_REQUEST', message: expect.stringContaining(problem) } },
      ]);
    }
  });

  test('says why a step is refused', async () => {
    const reply = await step('createSecret', eventOf('createSecret', TOKEN));
    const reason = 'the token names none of its versions';
    expect([reply.status, reply.json()]).toMatchObject([400, { error: { code: 'INVALID_REQUEST', reason } }]);
  });

  test('leaves a line for auditors, and no secret in any line', () => {
    const lines = broker.logs.join('');
    expect(lines).toContain('"action":"POST /v1/rotation/finishSecret"');
    for (const label of ['AWSCURRENT', 'AWSPREVIOUS']) {
      const { password } = JSON.parse(secrets.textOf('shop', label) ?? '') as { password: string };
      expect(lines).not.toContain(password);
    }
    expect(lines).not.toContain(server.password);
  });
});

test('/openapi.json describes it', async () => {
  const document = (await http(`${broker.url}/openapi.json`)).json();
  expect(document).toMatchObject({
    paths: { '/v1/rotation/{step}': { post: { requestBody: { required: true } } } },
    components: { schemas: { RotationEvent: { required: ['Step', 'SecretId', 'ClientRequestToken'] } } },
  });
});
