import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runBroker } from '../support/broker-process.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settings-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function fileWith(text: string): Promise<string> {
  const file = join(folder, 'settings.yaml');
  await writeFile(file, text);
  return file;
}

test('bad settings end the start with a line for each problem, code 1, and no secret', async () => {
  const file = await fileWith(`
databases:
  default:
    host: db.internal
    credentials: { username: app, password: hunter2-secret }
    tls: sometimes
    pool: { size: 0, overflow: 3, minIdle: 20 }
callers:
  orders: { keySha256: hunter3-secret, databases: [nowhere], access: write }
`);
  const { code, output } = await runBroker({ BROKER_SETTINGS_FILE: file });
  expect(code).toBe(1);
  expect(output.trim().split('\n').length).toBeGreaterThanOrEqual(5);
  for (const path of [
    'databases.default.tls',
    'databases.default.pool.size',
    'databases.default.pool.overflow',
    'callers.orders.keySha256',
    'callers.orders.databases',
  ]) {
    expect(output).toContain(path);
  }
  expect(output).not.toMatch(/hunter/);
  expect(output).not.toMatch(/\n\s+at /);
});

test('a broker that nobody may call does not start', async () => {
  const file = await fileWith(
    'databases: { default: { host: db, credentials: { username: a, password: b } } }',
  );
  const { code, output } = await runBroker({ BROKER_SETTINGS_FILE: file });
  expect([code, output]).toEqual([1, expect.stringContaining('callers')]);
});

test('a port that is taken ends the start with a line that says so', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const address = taken.address();
  const port = typeof address === 'object' ? String(address?.port) : '';
  const file = await fileWith(
    'databases: { default: { host: 127.0.0.1, tls: off, credentials: { username: a, password: b } } }\nallowAnonymous: true',
  );
  const { code, output } = await runBroker({ BROKER_SETTINGS_FILE: file, HOST: '127.0.0.1', PORT: port });
  taken.close();
  expect(code).toBe(1);
  expect(output).toMatch(/EADDRINUSE/);
});

test('a secret that cannot be read ends the start with one line, and no warning of the AWS SDK', async () => {
  const { code, output } = await runBroker({
    BROKER_SETTINGS_SECRET: 'conn-pool/settings',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:1',
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'key',
  });
  expect(code).toBe(1);
  expect(output.trim().split('\n')).toEqual([expect.stringMatching(/^BROKER_SETTINGS_SECRET: /)]);
});
