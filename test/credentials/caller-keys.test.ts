import { createHash } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import { CallerKeys } from '../../lib/credentials/caller-keys.ts';
import { parseSettings } from '../../lib/settings/parse-settings.ts';
import { runningSecretsManager } from './support/credentials-of.ts';

const ALLOWED = { databases: ['*'], access: 'read' };

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

async function keysOf(callers: object, secrets: object = {}): Promise<CallerKeys> {
  const keys = new CallerKeys(
    parseSettings({ databases: { default: { credentials: { secretId: 'x' } } }, callers, secrets }),
  );
  await keys.start();
  onTestFinished(() => keys.close());
  return keys;
}

test('a caller is found by the hash of its key, and nobody by another', async () => {
  const keys = await keysOf({ orders: { ...ALLOWED, keySha256: hashOf('key') } });

  expect(keys.callerByKeyHash(hashOf('key'))).toMatchObject({
    name: 'orders',
    access: 'read',
    databases: ['*'],
  });
  expect(keys.callerByKeyHash(hashOf('other'))).toBeUndefined();
  expect(keys.callerByKeyHash('constructor')).toBeUndefined();
});

test('a key that is kept in a secret counts without the newline at its end', async () => {
  const secrets = await runningSecretsManager();
  secrets.put('orders-key', 'key\n');
  const keys = await keysOf({ orders: { ...ALLOWED, keySecret: 'orders-key' } });

  expect(keys.callerByKeyHash(hashOf('key'))?.name).toBe('orders');
});

test('a key that changes in its secret is valid at once, the old one until AWSPREVIOUS moves on', async () => {
  const secrets = await runningSecretsManager();
  secrets.put('orders-key', 'old');
  const keys = await keysOf(
    { orders: { ...ALLOWED, keySecret: 'orders-key' }, admin: { ...ALLOWED, keySha256: hashOf('admin') } },
    { minRefreshIntervalMs: 1 },
  );
  secrets.put('orders-key', 'new');

  expect((await keys.find(hashOf('new')))?.name).toBe('orders');
  expect((await keys.find(hashOf('old')))?.name).toBe('orders');
  secrets.put('orders-key', 'newest');
  await vi.waitFor(async () => expect((await keys.find(hashOf('newest')))?.name).toBe('orders'));
  expect((await keys.find(hashOf('new')))?.name).toBe('orders');
  expect(keys.callerByKeyHash(hashOf('old'))).toBeUndefined();
  expect((await keys.find(hashOf('admin')))?.name).toBe('admin');
});

test('a previous key that loses its label is revoked, though the current one stays', async () => {
  const secrets = await runningSecretsManager();
  secrets.put('orders-key', 'leaked');
  const newId = secrets.put('orders-key', 'new');
  const keys = await keysOf(
    { orders: { ...ALLOWED, keySecret: 'orders-key' } },
    { refreshIntervalMs: 20, minRefreshIntervalMs: 20 },
  );
  expect((await keys.find(hashOf('leaked')))?.name).toBe('orders');
  secrets.label('orders-key', 'AWSPREVIOUS', newId);

  await vi.waitFor(() => expect(keys.callerByKeyHash(hashOf('leaked'))).toBeUndefined());
  expect((await keys.find(hashOf('new')))?.name).toBe('orders');
});

test('unknown keys force one look each minRefreshIntervalMs, however many they are', async () => {
  const secrets = await runningSecretsManager();
  secrets.put('orders-key', 'key');
  const keys = await keysOf(
    { orders: { ...ALLOWED, keySecret: 'orders-key' } },
    { minRefreshIntervalMs: 300_000 },
  );
  const unknown = Array.from({ length: 50 }, async (_, n) => await keys.find(hashOf(`unknown ${n}`)));
  await Promise.all(unknown);
  for (let n = 0; n < 50; n += 1) await keys.find(hashOf(`unknown ${n}`));

  const looks = secrets.seen.filter((call) => call === 'GetSecretValue AWSCURRENT');
  expect(looks).toHaveLength(2);
});

test('a key that cannot be read admits nobody until it can, and the others work', async () => {
  const secrets = await runningSecretsManager();
  const keys = await keysOf(
    { orders: { ...ALLOWED, keySecret: 'orders-key' }, admin: { ...ALLOWED, keySha256: hashOf('admin') } },
    { refreshIntervalMs: 20, minRefreshIntervalMs: 20 },
  );

  expect(keys.callerByKeyHash(hashOf('key'))).toBeUndefined();
  expect(keys.callerByKeyHash(hashOf('admin'))?.name).toBe('admin');
  expect(keys.status().get('orders')?.lastFailure).toContain('no such secret');

  secrets.put('orders-key', 'key');
  await vi.waitFor(() => expect(keys.callerByKeyHash(hashOf('key'))?.name).toBe('orders'));
});

test('an empty secret is no key', async () => {
  const secrets = await runningSecretsManager();
  secrets.put('orders-key', '\n');
  const keys = await keysOf({ orders: { ...ALLOWED, keySecret: 'orders-key' } });

  expect(keys.callerByKeyHash(hashOf(''))).toBeUndefined();
});

test('a key that somebody has keeps its caller when another secret comes to hold it', async () => {
  const secrets = await runningSecretsManager();
  secrets.put('orders-key', 'admin');
  const keys = await keysOf({
    orders: { ...ALLOWED, keySecret: 'orders-key' },
    admin: { ...ALLOWED, keySha256: hashOf('admin') },
  });

  expect(keys.callerByKeyHash(hashOf('admin'))?.name).toBe('admin');
});
