import { describe, expect, test, vi } from 'vitest';
import { Deadline } from '../../lib/async/deadline.ts';
import { buildPool, guardPools, type PoolUnderTest, settle } from './support/open-pool-guard.ts';

guardPools();

const ONE = { size: 1, maxOverflow: 0 };

/** Starts a drain. `endedAfterMs` is undefined until it has resolved. */
function drain({ pool }: PoolUnderTest, timeoutMs: number) {
  const sinceMs = performance.now();
  const drain: { endedAfterMs?: number } = {};
  void pool.drain(Deadline.after(timeoutMs)).then(() => {
    drain.endedAfterMs = performance.now() - sinceMs;
  });
  return drain;
}

describe('a pool that drains', () => {
  test('[110] refuses new checkouts with DRAINING', async () => {
    const built = buildPool();
    await built.pool.checkout();
    drain(built, 1_000);
    await expect(built.pool.checkout()).rejects.toMatchObject({ code: 'DRAINING' });
    await expect(built.pool.use(async () => await Promise.resolve())).rejects.toMatchObject({
      code: 'DRAINING',
    });
  });

  test('lets borrowers and those in line finish, and resolves when the last connection is closed', async () => {
    const built = buildPool(ONE);
    const borrowed = await built.pool.checkout();
    const waiting = built.pool.checkout();
    const drained = drain(built, 10_000);
    await vi.advanceTimersByTimeAsync(500);
    borrowed.checkin();
    const next = await waiting;
    expect(next.connection.isUsable).toBe(true);
    await vi.advanceTimersByTimeAsync(500);
    expect(drained.endedAfterMs).toBeUndefined();
    next.checkin();
    await settle();
    expect(drained.endedAfterMs).toBe(1_000);
    expect(built.connector.counted).toBe(0);
  });

  test('opens connections for those in line still', async () => {
    const built = buildPool();
    built.connector.opens.hold();
    const waiting = built.pool.checkout();
    built.pool.invalidate('test');
    const drained = drain(built, 10_000);
    built.connector.opens.letGo();
    (await waiting).checkin();
    await settle();
    expect(drained.endedAfterMs).toBe(0);
    expect(built.connector.counted).toBe(0);
  });

  test('closes idle connections at once, and waits for their goodbyes', async () => {
    const built = buildPool();
    const borrowed = await Promise.all([built.pool.checkout(), built.pool.checkout()]);
    for (const pooled of borrowed) pooled.checkin();
    await settle();
    built.connector.closes.hold();
    const drained = drain(built, 10_000);
    await vi.advanceTimersByTimeAsync(100);
    expect(built.pool.stats()).toMatchObject({ closing: 2, idle: 0 });
    expect(drained.endedAfterMs).toBeUndefined();
    built.connector.closes.letGo();
    await settle();
    expect(drained.endedAfterMs).toBe(100);
  });

  test('closes what comes back without resetting it', async () => {
    const built = buildPool();
    const borrowed = await built.pool.checkout();
    built.connector.resets.hold();
    const drained = drain(built, 10_000);
    borrowed.checkin();
    await settle();
    expect(drained.endedAfterMs).toBe(0);
  });

  test('[1] resolves at once when it was never used, and opens nothing', async () => {
    const built = buildPool();
    const drained = drain(built, 10_000);
    await settle();
    expect(drained.endedAfterMs).toBe(0);
    expect(built.connector.opens.calls).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('may be drained again, while it drains and after: the earliest deadline rules', async () => {
    const built = buildPool();
    await built.pool.checkout();
    const drained = [drain(built, 10_000), drain(built, 1_000), drain(built, 5_000)];
    await vi.advanceTimersByTimeAsync(1_000);
    expect(drained.map(({ endedAfterMs }) => endedAfterMs)).toEqual([1_000, 1_000, 1_000]);
    const again = drain(built, 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(again.endedAfterMs).toBeDefined();
  });
});

describe('[29] the deadline of a drain', () => {
  test('[110] cuts off borrowers that never return, and resolves', async () => {
    const built = buildPool();
    const borrowed = await built.pool.checkout();
    const drained = drain(built, 1_000);
    await vi.advanceTimersByTimeAsync(999);
    expect(borrowed.connection.isUsable).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(drained.endedAfterMs).toBe(1_000);
    expect(built.connector.counted).toBe(0);

    borrowed.checkin();
    await settle();
    expect(built.pool.stats()).toMatchObject({ connections: 0, checkedOut: 0 });
  });

  test('fails those in line with DRAINING', async () => {
    const built = buildPool(ONE);
    await built.pool.checkout();
    const rejected = expect(built.pool.checkout()).rejects.toMatchObject({ code: 'DRAINING' });
    drain(built, 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    await rejected;
  });

  test.each(['closes', 'resets'] as const)('cuts off %s that hang', async (kind) => {
    const built = buildPool();
    const borrowed = await built.pool.checkout();
    built.connector[kind].hold();
    if (kind === 'resets') borrowed.checkin();
    const drained = drain(built, 1_000);
    if (kind === 'closes') borrowed.checkin();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(drained.endedAfterMs).toBe(1_000);
    expect(built.connector.counted).toBe(0);
  });

  test('does not wait for a login that hangs, whose connection is closed when it comes', async () => {
    const built = buildPool();
    built.connector.opens.hold();
    const rejected = expect(built.pool.checkout()).rejects.toMatchObject({ code: 'DRAINING' });
    const drained = drain(built, 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    await rejected;
    expect(drained.endedAfterMs).toBe(1_000);
    built.connector.opens.letGo();
    await settle();
    expect(built.connector.opened).toHaveLength(1);
    expect(built.connector.counted).toBe(0);
  });

  test('cuts off all connections, though cutting one off throws', async () => {
    const built = buildPool();
    await Promise.all([built.pool.checkout(), built.pool.checkout()]);
    built.connector.destroyThrows = true;
    const drained = drain(built, 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(drained.endedAfterMs).toBe(1_000);
    expect(built.connector.counted).toBe(0);
  });
});

describe('a pool that drains while its database is down', () => {
  async function downPool(): Promise<PoolUnderTest> {
    const built = buildPool();
    const failure = built.connector.breakDown();
    await expect(built.pool.checkout()).rejects.toBe(failure);
    return built;
  }

  test('resolves at once, and stops trying', async () => {
    const built = await downPool();
    const drained = drain(built, 10_000);
    await settle();
    expect(drained.endedAfterMs).toBe(0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(built.connector.opens.calls).toBe(1);
  });

  test('resolves as soon as the try under way has failed', async () => {
    const built = await downPool();
    built.connector.opens.hold();
    await vi.advanceTimersByTimeAsync(200);
    expect(built.pool.stats().opening).toBe(1);
    const drained = drain(built, 10_000);
    await settle();
    expect(drained.endedAfterMs).toBeUndefined();
    built.connector.opens.letGo();
    await settle();
    expect(drained.endedAfterMs).toBe(0);
  });
});
