import { describe, expect, test, vi } from 'vitest';
import { buildPool, guardPools, settle } from './support/open-pool-guard.ts';

guardPools();

async function passMs(durationMs: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, durationMs);
  });
}

test('[1] building a pool opens nothing', async () => {
  const { pool, connector } = buildPool();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(connector.opens.calls).toBe(0);
  expect(pool.stats()).toMatchObject({ connections: 0, idle: 0, checkedOut: 0, overflow: 0, waiting: 0 });
});

test('[2] callers one after the other share one connection', async () => {
  const { pool, connector } = buildPool();
  for (let caller = 0; caller < 10; caller += 1) {
    await pool.use(async (connection) => {
      expect(connection).toBe(connector.opened[0]);
      await Promise.resolve();
    });
    await settle();
  }
  expect(connector.opens.calls).toBe(1);
});

describe('[4] forty callers at once', () => {
  test.each([
    { size: 3, maxOverflow: 5 },
    { size: 5, maxOverflow: 0 },
    { size: 1, maxOverflow: 0 },
  ])('are all served by a pool of $size + $maxOverflow that never goes beyond', async (bounds) => {
    const { pool, connector } = buildPool(bounds);
    connector.opens.hold();
    connector.closes.hold();
    const served = Array.from({ length: 40 }, async () => {
      await pool.use(async () => {
        await passMs(10);
      });
    });
    await settle();
    const cap = bounds.size + bounds.maxOverflow;
    expect(pool.stats()).toMatchObject({ opening: cap, connections: cap, waiting: 40 });

    connector.opens.letGo();
    await vi.advanceTimersByTimeAsync(1_000);
    await Promise.all(served);
    connector.closes.letGo();
    await settle();
    expect(connector.peak).toBe(cap);
    expect(pool.stats()).toMatchObject({ idle: bounds.size, connections: bounds.size });
  });
});

test.each([[[3, 2, 1, 0]], [[0, 1, 2, 3]], [[2, 0, 3, 1]]])(
  '[5] of four connections returned in the order %j, the first two are kept by a pool of size 2',
  async (order) => {
    const { pool, connector } = buildPool({ size: 2, maxOverflow: 2 });
    const borrowed = await Promise.all([0, 1, 2, 3].map(async () => await pool.checkout()));
    for (const index of order) borrowed[index]?.checkin();
    await settle();
    const kept = order.filter((index) => connector.opened[index]?.isCounted);
    expect(kept).toEqual(order.slice(0, 2));
  },
);

test('[18] counts follow the golden sequence', async () => {
  const { pool } = buildPool({ size: 3, maxOverflow: 3 });
  const counts = () => {
    const { size, idle, overflow, checkedOut } = pool.stats();
    return [size, idle, overflow, checkedOut];
  };
  const borrow = async (count: number) =>
    await Promise.all(Array.from({ length: count }, async () => await pool.checkout()));

  const [first, second, third] = await borrow(3);
  expect(counts()).toEqual([3, 0, 0, 3]);
  const others = await borrow(3);
  expect(counts()).toEqual([3, 0, 3, 6]);
  for (const pooled of others) pooled.checkin();
  await settle();
  expect(counts()).toEqual([3, 3, 3, 3]);
  for (const pooled of [first, second, third]) pooled?.checkin();
  await settle();
  expect(counts()).toEqual([3, 3, 0, 0]);
  const [again] = await borrow(2);
  expect(counts()).toEqual([3, 1, 0, 2]);
  again?.checkin();
  await settle();
  expect(counts()).toEqual([3, 2, 0, 1]);
});

test('a connection counts until its peer has let go of it', async () => {
  const { pool, connector } = buildPool({ size: 1, maxOverflow: 0 });
  const pooled = await pool.checkout();
  connector.closes.hold();
  pool.invalidate('test');
  pooled.checkin();
  const next = pool.checkout();
  await settle();
  expect(pool.stats()).toMatchObject({ closing: 1, connections: 1, waiting: 1 });
  expect(connector.opens.calls).toBe(1);

  connector.closes.letGo();
  await next;
  expect(connector.peak).toBe(1);
});

test('[33] a failed login gives its place back', async () => {
  const { pool, connector } = buildPool({ size: 1, maxOverflow: 0 });
  connector.opens.failure = new Error('refused');
  await expect(pool.checkout()).rejects.toThrow();
  expect(pool.stats()).toMatchObject({ connections: 0, opening: 0 });
  connector.recover();
  await vi.advanceTimersByTimeAsync(1_000);
  await expect(pool.checkout()).resolves.toBeDefined();
});

test('a login whose caller has gone is kept idle, and closed when it is one too many', async () => {
  const { pool, connector } = buildPool({ size: 1, maxOverflow: 2 });
  connector.opens.hold();
  const hangUp = new AbortController();
  const left = [1, 2, 3].map(async () => await pool.checkout({ signal: hangUp.signal }).catch(() => 'left'));
  hangUp.abort();
  expect(await Promise.all(left)).toEqual(['left', 'left', 'left']);
  connector.opens.letGo();
  await settle();
  expect(connector.opened).toHaveLength(3);
  expect(pool.stats()).toMatchObject({ idle: 1, connections: 1 });
});
