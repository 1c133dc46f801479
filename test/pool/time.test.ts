import { describe, expect, test, vi } from 'vitest';
import { Deadline } from '../../lib/async/deadline.ts';
import { buildPool, guardPools, settle } from './support/open-pool-guard.ts';

guardPools();

const ONE = { size: 1, maxOverflow: 0 };

test('[11] [22] a time-out below a second is kept, and says what was in the way and that a retry may help', async () => {
  const { pool } = buildPool({ ...ONE, checkoutTimeoutMs: 250 });
  await pool.checkout();
  const rejected = expect(pool.checkout()).rejects.toMatchObject({
    code: 'POOL_TIMEOUT',
    retryable: true,
    details: { size: 1, maxOverflow: 0, waitedMs: 250, waiting: 0 },
  });
  await vi.advanceTimersByTimeAsync(249);
  expect(pool.stats().waiting).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  await rejected;
});

test('[27] one login that hangs keeps nobody else from a connection while there is room', async () => {
  const { pool, connector } = buildPool({ size: 2, maxOverflow: 0 });
  connector.opens.hold();
  const first = pool.checkout();
  const second = pool.checkout();
  await settle();
  connector.opens.letGoOne(1);
  const pooled = await first;
  expect(pool.stats()).toMatchObject({ opening: 1, waiting: 1, checkedOut: 1 });
  pooled.checkin();
  expect((await second).connection).toBe(connector.opened[0]);
});

test('[61] a caller whose connections keep going bad is told when its time is up', async () => {
  const { pool, connector } = buildPool(ONE);
  pool.events.on('connect', () => pool.invalidate('again'));
  connector.opens.hold();
  const rejected = expect(pool.checkout()).rejects.toMatchObject({ code: 'POOL_TIMEOUT' });
  for (let elapsedMs = 0; elapsedMs < 5_000; elapsedMs += 100) {
    await vi.advanceTimersByTimeAsync(100);
    connector.opens.letGoOne();
  }
  await rejected;
  await settle();
  expect(connector.peak).toBe(1);
  expect(pool.stats()).toMatchObject({ waiting: 0, checkedOut: 0 });
});

describe('[57] the clock', () => {
  test.each([0, 4e12])('of the wall ages nothing when it jumps to %d', async (wallMs) => {
    const { pool, connector } = buildPool(ONE);
    const pooled = await pool.checkout();
    vi.spyOn(Date, 'now').mockReturnValue(wallMs);
    pooled.checkin();
    const again = await pool.checkout();
    expect(again.connection).toBe(connector.opened[0]);
    await vi.advanceTimersByTimeAsync(119_001);
    again.checkin();
    expect((await pool.checkout()).connection).toBe(connector.opened[1]);
  });

  test('may stand still: what was opened in the moment of an invalidation, and before it, is stale', async () => {
    const { pool, connector } = buildPool(ONE);
    const pooled = await pool.checkout();
    pool.invalidate('test');
    pooled.checkin();
    const fresh = await pool.checkout();
    expect(fresh.connection).toBe(connector.opened[1]);
    fresh.checkin();
    expect((await pool.checkout()).connection).toBe(connector.opened[1]);
    expect(connector.opened.map(({ openedAtMs }) => openedAtMs - performance.now())).toEqual([0, 0]);
  });
});

test('each deadline in line is kept to the millisecond in whatever order they come', async () => {
  const { pool } = buildPool({ size: 1, maxOverflow: 0 });
  const borrowed = await pool.checkout();
  const sinceMs = performance.now();
  const told: number[] = [];
  const wait = (timeoutMs: number) => {
    const checkout = pool.checkout({ deadline: Deadline.after(timeoutMs) });
    return checkout.catch(() => void told.push(performance.now() - sinceMs));
  };
  const first = wait(50);
  const line = [wait(3_000), wait(100), wait(9_000)];
  borrowed.checkin();
  const pooled = await first;
  line.push(wait(99.5));
  await vi.advanceTimersByTimeAsync(5_000);
  await Promise.all(line);
  expect(told).toEqual([100, 100, 3_000, 5_000]);
  pooled?.checkin();
});
