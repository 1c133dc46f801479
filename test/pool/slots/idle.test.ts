import { describe, expect, test, vi } from 'vitest';
import type { PoolOptions } from '../../../lib/pool/pool-options.ts';
import { buildPool, guardPools, type PoolUnderTest, settle } from '../support/open-pool-guard.ts';

guardPools();

async function idlePool(options: Partial<PoolOptions>): Promise<PoolUnderTest> {
  const built = buildPool({ size: 4, ...options });
  const borrowed = await Promise.all(Array.from({ length: 4 }, async () => await built.pool.checkout()));
  for (const pooled of borrowed) pooled.checkin();
  await settle();
  return built;
}

test.each([0, 1, 3])('what lies idle for idleTimeoutMs is closed, down to minIdle = %i', async (minIdle) => {
  const { pool, connector } = await idlePool({ idleTimeoutMs: 10_000, minIdle });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(pool.stats().idle).toBe(4);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(pool.stats()).toMatchObject({ idle: minIdle, connections: minIdle });
  expect(connector.counted).toBe(minIdle);
});

test('[45] a connection in use now and then stays, while the others go', async () => {
  const { pool, connector } = await idlePool({ idleTimeoutMs: 10_000 });
  for (let round = 0; round < 6; round += 1) {
    await vi.advanceTimersByTimeAsync(4_000);
    (await pool.checkout()).checkin();
  }
  await settle();
  expect(connector.opened.map(({ isCounted }) => isCounted)).toEqual([false, false, false, true]);
});

test('what is used last stays longest', async () => {
  const { connector } = await idlePool({ idleTimeoutMs: 10_000, minIdle: 1, order: 'fifo' });
  await vi.advanceTimersByTimeAsync(15_000);
  expect(connector.opened.map(({ isCounted }) => isCounted)).toEqual([false, false, false, true]);
});

test.each([0, 3])(
  '[46] what is too old is closed in the background, and replaced up to minIdle = %i',
  async (minIdle) => {
    const { pool, connector } = await idlePool({ recycleAfterMs: 10_000, minIdle });
    await vi.advanceTimersByTimeAsync(15_000);
    expect(pool.stats()).toMatchObject({ idle: minIdle, connections: minIdle });
    expect(connector.opens.calls).toBe(4 + minIdle);
  },
);

test('a pool never falls below minIdle for long, whatever closes its connections', async () => {
  const { pool, connector } = await idlePool({ minIdle: 2 });
  pool.invalidate('test');
  await settle();
  expect(pool.stats()).toMatchObject({ idle: 2, connections: 2 });
  for (const connection of connector.opened) if (connection.isCounted) connection.lose();
  await settle();
  expect(pool.stats()).toMatchObject({ idle: 2, connections: 2 });
});

describe('an idle connection that was silent for keepAliveMs', () => {
  test('is pinged, again and again, and stays', async () => {
    const { pool, connector } = await idlePool({ keepAliveMs: 10_000 });
    await vi.advanceTimersByTimeAsync(15_000);
    expect(connector.opened.map(({ pings }) => pings)).toEqual([1, 1, 1, 1]);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(connector.opened.map(({ pings }) => pings)).toEqual([2, 2, 2, 2]);
    expect(pool.stats()).toMatchObject({ idle: 4, connections: 4 });
  });

  test('is closed all the same after idleTimeoutMs without use, the one used longest ago first', async () => {
    const { pool, connector } = await idlePool({ keepAliveMs: 4_000, idleTimeoutMs: 10_000, minIdle: 1 });
    await vi.advanceTimersByTimeAsync(5_000);
    (await pool.checkout()).checkin();
    await vi.advanceTimersByTimeAsync(9_000);
    expect(connector.opened.map(({ isCounted }) => isCounted)).toEqual([false, false, false, true]);
  });

  test('is closed, with all of its generation, when it does not answer', async () => {
    const { pool, connector } = await idlePool({ keepAliveMs: 10_000 });
    connector.pings.failure = new Error('silence');
    await vi.advanceTimersByTimeAsync(15_000);
    expect(pool.stats()).toMatchObject({ connections: 0, generation: 1 });
  });

  test('spares the next caller a ping', async () => {
    const { pool, connector } = await idlePool({ keepAliveMs: 10_000 });
    await vi.advanceTimersByTimeAsync(15_200);
    await pool.checkout();
    expect(connector.pings.calls).toBe(4);
  });
});

test('an idle connection that its peer closed leaves the pool at once', async () => {
  const { pool, connector } = await idlePool({});
  connector.opened[1]?.lose();
  await settle();
  expect(pool.stats()).toMatchObject({ idle: 3, connections: 3 });
});
