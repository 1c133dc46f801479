import { createHash } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Broker, buildBroker } from '../../../lib/broker/build-broker.ts';
import { CallerKeys } from '../../../lib/credentials/caller-keys.ts';
import { parseSettings } from '../../../lib/settings/parse-settings.ts';
import { eventually, type HttpReply, http } from '../../support/http.ts';
import { FakeSecretsManager } from '../../support/rotation/secrets-manager.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

interface KeyBroker {
  readonly broker: Broker;
  readonly secrets: FakeSecretsManager;
  lines(msg: string): Record<string, unknown>[];
  get(path: string, key: string): Promise<HttpReply>;
}

/** A broker whose database nobody asks, with callers whose keys are kept in secrets. */
async function keyBroker(
  prepare: (secrets: FakeSecretsManager) => void,
  more: object = {},
): Promise<KeyBroker> {
  const secrets = await FakeSecretsManager.start();
  for (const [name, value] of Object.entries(secrets.environment)) vi.stubEnv(name, value);
  prepare(secrets);
  const alias = { host: '127.0.0.1', port: 1, credentials: { username: 'a', password: 'b' }, tls: 'off' };
  const settings = parseSettings({
    databases: { default: alias, other: alias },
    callers: {
      orders: { keySecret: 'orders-key', databases: ['other'], access: 'write' },
      operator: { keySecret: 'operator-key', databases: ['*'], access: 'admin' },
      ...more,
    },
    secrets: { minRefreshIntervalMs: 50, refreshIntervalMs: 100 },
  });
  const callers = new CallerKeys(settings);
  await callers.start();
  const logs: string[] = [];
  const broker = buildBroker(settings, callers, {
    level: 'info',
    stream: { write: (line) => logs.push(line) },
  });
  const url = await broker.app.listen({ host: '127.0.0.1', port: 0 });
  broker.lifecycle.enter('serving');
  onTestFinished(async () => {
    callers.close();
    await broker.app.close();
    vi.unstubAllEnvs();
    await secrets[Symbol.asyncDispose]();
  });
  return {
    broker,
    secrets,
    lines: (msg) =>
      logs.map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => line.msg === msg),
    get: async (path, key) => await http(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } }),
  };
}

test('a key that could never be read is told at once, and again when it can be read', async () => {
  const { lines, secrets } = await keyBroker((fake) => {
    fake.put('operator-key', 'operator');
  });
  const [warning] = await eventually(
    async () => lines('the key of a caller cannot be read'),
    (found) => found.length > 0,
  );
  expect(warning).toMatchObject({
    level: 40,
    caller: 'orders',
    cause: 'secret_not_found',
    error: expect.stringContaining('no such secret'),
  });
  secrets.put('orders-key', 'orders');
  await eventually(
    async () => lines('the key of a caller can be read again'),
    ([line]) => line?.caller === 'orders',
  );
});

test('meanwhile no caller is told that its key is not known: 503, which clients try again', async () => {
  const { get, secrets } = await keyBroker((fake) => {
    fake.put('operator-key', 'operator');
  });
  const reply = await get('/v1/databases', 'orders');
  expect([reply.status, reply.headers['retry-after'], reply.json()]).toEqual([
    503,
    '1',
    {
      error: expect.objectContaining({
        code: 'DRAINING',
        retryable: true,
        reason: 'caller_keys_unread',
        message: expect.not.stringContaining('not known'),
      }),
    },
  ]);
  expect((await get('/v1/databases', 'operator')).status).toBe(200);

  secrets.put('orders-key', 'orders');
  await eventually(
    async () => await get('/v1/databases', 'orders'),
    ({ status }) => status === 403,
  );
  expect((await get('/v1/databases', 'nobody')).status).toBe(401);
});

test("so it is for the operator's own key, whose fault only the log can tell", async () => {
  const { get, lines } = await keyBroker((fake) => {
    fake.trouble = 'AccessDeniedException';
  });
  expect((await get('/v1/databases', 'operator')).status).toBe(503);
  const told = await eventually(
    async () => lines('the key of a caller cannot be read'),
    (found) => found.length === 2,
  );
  expect(told.map(({ caller, cause }) => [caller, cause])).toEqual([
    ['orders', 'secret_access_denied'],
    ['operator', 'secret_access_denied'],
  ]);
});

test('keys that were read stay valid while Secrets Manager is down, and a 401 claims no more than is known', async () => {
  const { get, lines, secrets } = await keyBroker((fake) => {
    fake.put('operator-key', 'operator');
    fake.put('orders-key', 'orders');
  });
  secrets.trouble = 'unreachable';
  await eventually(
    async () => lines('the key of a caller cannot be read'),
    (found) => found.length === 2,
  );
  expect((await get('/v1/databases', 'operator')).status).toBe(200);
  const reply = await get('/v1/databases', 'new');
  expect([reply.status, reply.text]).toEqual([401, expect.not.stringContaining('is not known')]);
}, 20_000);

test('an admin sees the keys that cannot be read of those who use his databases only', async () => {
  const { get, lines } = await keyBroker(
    (fake) => {
      fake.put('operator-key', 'operator');
    },
    {
      local: { keySha256: sha256('local'), databases: ['default'], access: 'admin' },
      shop: { keySecret: 'shop-key', databases: ['default'], access: 'write' },
    },
  );
  await eventually(
    async () => lines('the key of a caller cannot be read'),
    (found) => found.length === 2,
  );
  const unread = expect.objectContaining({ cause: 'secret_not_found', since: expect.any(String) });
  for (const path of ['/v1/databases', '/readyz']) {
    expect((await get(path, 'operator')).json()).toMatchObject({
      callerKeys: { orders: unread, shop: unread },
    });
    const { callerKeys } = (await get(path, 'local')).json() as { callerKeys: object };
    expect(callerKeys).toEqual({ shop: unread });
  }
});
