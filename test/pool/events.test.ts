import { describe, expect, test, vi } from 'vitest';
import type { PoolEventMap } from '../../lib/pool/pool-events.ts';
import type { QueuePool } from '../../lib/pool/queue-pool.ts';
import type { FakeConnection } from './support/fake-connector.ts';
import { buildPool, guardPools, settle } from './support/open-pool-guard.ts';

guardPools();

const NAMES = [
  'first_connect',
  'connect',
  'connect_failed',
  'checkout',
  'timeout',
  'checkin',
  'held_too_long',
  'late_checkin',
  'reset',
  'invalidate',
  'close',
] as const satisfies (keyof PoolEventMap)[];

/** Hands out what has happened since it was last asked. */
function trace({ events }: QueuePool<FakeConnection>): () => string[] {
  const happened: string[] = [];
  for (const name of NAMES) {
    if (name === 'close') events.on('close', ({ reason }) => happened.push(`close ${reason}`));
    else events.on(name, () => happened.push(name));
  }
  return () => happened.splice(0);
}

test('[94] [95] events come in this order over a life', async () => {
  const { pool, connector } = buildPool({ size: 1, maxOverflow: 1 });
  const happened = trace(pool);

  const first = await pool.checkout();
  expect(happened()).toEqual(['first_connect', 'connect', 'checkout']);
  first.checkin();
  await settle();
  expect(happened()).toEqual(['checkin', 'reset']);
  const [again, other] = await Promise.all([pool.checkout(), pool.checkout()]);
  expect(happened()).toEqual(['checkout', 'connect', 'checkout']);
  other.checkin();
  again.checkin();
  await settle();
  expect(happened()).toEqual(['checkin', 'checkin', 'close overflow', 'reset']);
  pool.invalidate('test');
  expect(happened()).toEqual(['invalidate', 'close invalidated']);
  await settle();
  connector.opens.failure = new Error('refused');
  await expect(pool.checkout()).rejects.toThrow();
  expect(happened()).toEqual(['connect_failed']);
});

describe('close tells its reason:', () => {
  test.each<[string, (connection: FakeConnection, pool: QueuePool<FakeConnection>) => void]>([
    ['lost', (connection) => connection.lose()],
    ['invalidated', (_, pool) => pool.invalidate('test')],
    ['recycled', () => vi.advanceTimersByTime(120_000)],
  ])('%s', async (reason, prepare) => {
    const { pool } = buildPool();
    const pooled = await pool.checkout();
    const happened = trace(pool);
    prepare(pooled.connection, pool);
    pooled.checkin();
    expect(happened()).toContain(`close ${reason}`);
  });
});

test('timeout comes for a caller whose time is up and for one that hung up', async () => {
  const { pool } = buildPool({ size: 1, maxOverflow: 0 });
  await pool.checkout();
  const waitedMs: number[] = [];
  pool.events.on('timeout', (event) => waitedMs.push(event.waitedMs));
  const hangUp = new AbortController();
  const line = [pool.checkout({ signal: hangUp.signal }), pool.checkout()];
  const left = Promise.allSettled(line);
  await vi.advanceTimersByTimeAsync(100);
  hangUp.abort();
  await vi.advanceTimersByTimeAsync(4_900);
  await left;
  expect(waitedMs).toEqual([100, 5_000]);
});

test('[40] [97] first_connect comes once in the life of a pool, connect with each connection', async () => {
  const { pool } = buildPool();
  const happened = trace(pool);
  for (let round = 0; round < 3; round += 1) {
    await pool.checkout();
    pool.invalidate('test');
  }
  const connects = happened().filter((name) => name.endsWith('connect'));
  expect(connects).toEqual(['first_connect', 'connect', 'connect', 'connect']);
});

test('invalidate tells the generation and the reason', async () => {
  const { pool } = buildPool();
  const invalidations: unknown[] = [];
  pool.events.on('invalidate', (event) => invalidations.push(event));
  pool.invalidate('credentials');
  pool.invalidate('operator');
  await settle();
  expect(invalidations).toEqual([
    { generation: 1, reason: 'credentials' },
    { generation: 2, reason: 'operator' },
  ]);
});

test('[87] listeners that throw disturb neither the pool nor other listeners', async () => {
  const { pool, connector } = buildPool({ size: 1, maxOverflow: 0 });
  for (const name of NAMES) {
    pool.events.on(name, () => {
      throw new Error(name);
    });
  }
  const happened = trace(pool);
  (await pool.checkout()).checkin();
  const pooled = await pool.checkout();
  pool.invalidate('test');
  pooled.checkin();
  (await pool.checkout()).checkin();
  await settle();
  expect(pool.stats()).toMatchObject({ idle: 1, connections: 1 });
  expect(connector.counted).toBe(1);
  expect(pool.events.failures).toBe(happened().length);
});

test('a listener may use the pool that it listens to', async () => {
  const { pool, connector } = buildPool({ size: 1, maxOverflow: 1 });
  const uses: Promise<void>[] = [];
  for (const name of NAMES) {
    let isFirst = true;
    pool.events.on(name, () => {
      if (!isFirst) return;
      isFirst = false;
      pool.invalidate(name);
      uses.push(pool.use(async () => await Promise.resolve()));
    });
  }
  await pool.use(async () => await Promise.resolve());
  await settle();
  await Promise.all(uses);
  await settle();
  expect(uses.length).toBeGreaterThan(5);
  expect(connector.peak).toBeLessThanOrEqual(2);
  expect(pool.stats()).toMatchObject({ checkedOut: 0, waiting: 0 });
});
