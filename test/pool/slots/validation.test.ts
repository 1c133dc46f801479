import { describe, expect, test, vi } from 'vitest';
import type { PoolOptions } from '../../../lib/pool/pool-options.ts';
import { FakeConnectError } from '../support/fake-connector.ts';
import { buildPool, guardPools, type PoolUnderTest, settle } from '../support/open-pool-guard.ts';

guardPools();

/** A pool whose connections, `count` of them, have lain idle for `idleMs`. */
async function idlePool(
  count: number,
  idleMs: number,
  options: Partial<PoolOptions> = {},
): Promise<PoolUnderTest> {
  const built = buildPool({ size: count, ...options });
  const borrowed = await Promise.all(Array.from({ length: count }, async () => await built.pool.checkout()));
  await vi.advanceTimersByTimeAsync(1_000);
  for (const pooled of borrowed) pooled.checkin();
  await vi.advanceTimersByTimeAsync(idleMs);
  return built;
}

describe('[53] the pre-ping', () => {
  test('[52] is left out for a fresh connection, and for one used within prePingAfterIdleMs', async () => {
    const { pool, connector } = await idlePool(1, 500);
    expect((await pool.checkout()).connection).toBe(connector.opened[0]);
    expect(connector.pings.calls).toBe(0);
  });

  test('checks a connection that lay idle for longer, before it is given out', async () => {
    const { pool, connector } = await idlePool(1, 501);
    connector.pings.hold();
    const waiting = pool.checkout();
    await settle();
    expect(connector.pings.calls).toBe(1);
    expect(pool.stats()).toMatchObject({ waiting: 1, checkedOut: 0, idle: 0 });
    connector.pings.letGo();
    expect((await waiting).connection).toBe(connector.opened[0]);
  });

  test('is not done with prePing off', async () => {
    const { pool, connector } = await idlePool(1, 60_000, { prePing: false });
    await pool.checkout();
    expect(connector.pings.calls).toBe(0);
  });

  test('counts as a use, even if its caller has gone meanwhile', async () => {
    const { pool, connector } = await idlePool(1, 501);
    connector.pings.hold();
    const hangUp = new AbortController();
    const left = expect(pool.checkout({ signal: hangUp.signal })).rejects.toThrow();
    hangUp.abort();
    await left;
    connector.pings.letGo();
    await settle();
    expect((await pool.checkout()).connection).toBe(connector.opened[0]);
    expect(connector.pings.calls).toBe(1);
  });

  test('is done once for each caller that needs one', async () => {
    const { pool, connector } = await idlePool(3, 1_000, { maxOverflow: 0 });
    await Promise.all([pool.checkout(), pool.checkout()]);
    expect(connector.pings.calls).toBe(2);
    expect(pool.stats()).toMatchObject({ idle: 1, checkedOut: 2 });
  });
});

describe('[54] a connection that fails its ping', () => {
  test.each<[string, (built: PoolUnderTest) => void]>([
    ['is refused', ({ connector }) => (connector.pings.failure = new Error('gone'))],
    ['throws at once', ({ connector }) => (connector.pings.throwsAtOnce = true)],
  ])('(%s) is closed, and the caller gets a fresh one and no error', async (_, prepare) => {
    const built = await idlePool(1, 1_000, { maxOverflow: 0 });
    prepare(built);
    const { connection } = await built.pool.checkout();
    expect(connection).toBe(built.connector.opened[1]);
    expect(connection.pings).toBe(0);
    expect(built.connector.counted).toBe(1);
  });

  test('[60] by no answer at all is given up in time for its caller', async () => {
    const { pool, connector } = await idlePool(1, 1_000, { maxOverflow: 0 });
    connector.pings.hold();
    connector.closes.hold();
    const waiting = pool.checkout();
    await vi.advanceTimersByTimeAsync(4_000);
    expect((await waiting).connection).toBe(connector.opened[1]);
    expect(connector.counted).toBe(1);
  });

  test('[55] retires its whole generation: idle ones at once, borrowed ones when they come back', async () => {
    const { pool, connector } = await idlePool(3, 400);
    const borrowed = await pool.checkout();
    await vi.advanceTimersByTimeAsync(101);
    connector.pings.failure = new Error('gone');
    await pool.checkout();
    expect(connector.opened.map(({ isCounted }) => isCounted)).toEqual([false, false, true, true]);
    expect(borrowed.connection).toBe(connector.opened[2]);
    borrowed.checkin();
    await settle();
    expect(connector.opened.map(({ isCounted }) => isCounted)).toEqual([false, false, false, true]);
  });

  test('[58] [65] goes alone if the connector says that the peer did answer; the others are pinged before use', async () => {
    const { pool, connector } = await idlePool(3, 400);
    const borrowed = await pool.checkout();
    await vi.advanceTimersByTimeAsync(101);
    connector.pings.hold();
    const waiting = pool.checkout();
    borrowed.checkin();
    (await waiting).checkin();
    await settle();
    connector.pings.failure = new FakeConnectError('refused');
    connector.pings.letGoOne();
    await settle();
    connector.pings.recover();
    expect((await pool.checkout()).connection).toBe(connector.opened[2]);
    expect(connector.opened.map(({ isCounted }) => isCounted)).toEqual([true, false, true]);
    expect(connector.closes.calls).toBe(1);
    expect(connector.pings.calls).toBe(2);
    expect(pool.stats().generation).toBe(0);
  });

  test('[56] one outage, one flush: the later failures of a generation spare what was opened since', async () => {
    const { pool, connector } = await idlePool(3, 1_000, { maxOverflow: 0 });
    connector.pings.hold();
    const line = [pool.checkout(), pool.checkout(), pool.checkout()];
    await settle();
    connector.pings.failure = new Error('gone');
    connector.pings.letGoOne();
    await settle();
    const first = await Promise.race(line);
    connector.pings.letGo();
    await Promise.all(line);
    expect(pool.stats().generation).toBe(1);
    first.checkin();
    await settle();
    expect(connector.opened[3]?.isCounted).toBe(true);
    expect(connector.opens.calls).toBe(6);
  });

  test('[56] nor do the failing tries of an outage retire anything again', async () => {
    const { pool, connector } = await idlePool(2, 0);
    await pool.checkout();
    const failure = connector.breakDown();
    await pool.checkout().catch(() => undefined);
    await vi.advanceTimersByTimeAsync(20_000);
    await expect(pool.checkout()).rejects.toBe(failure);
    expect(connector.opens.calls).toBeGreaterThan(5);
    expect(pool.stats().generation).toBe(1);
  });
});

describe('one lost connection', () => {
  test.each<[string, (built: PoolUnderTest) => Promise<void>]>([
    ['idle', async ({ connector }) => await Promise.resolve(connector.opened[2]?.lose())],
    [
      'borrowed',
      async ({ pool }) => {
        const pooled = await pool.checkout();
        pooled.connection.lose();
        pooled.checkin();
      },
    ],
    [
      'being reset',
      async ({ pool, connector }) => {
        const pooled = await pool.checkout();
        connector.resets.hold();
        pooled.checkin();
        connector.opened[2]?.lose();
        connector.resets.letGo();
      },
    ],
  ])('(%s) goes alone, and has the idle ones pinged before use, even with prePing off', async (_, lose) => {
    const built = await idlePool(3, 0, { prePing: false });
    await lose(built);
    await settle();
    expect(built.connector.opened.map(({ isCounted }) => isCounted)).toEqual([true, true, false]);
    expect(built.pool.stats()).toMatchObject({ idle: 2, connections: 2, generation: 0 });

    (await built.pool.checkout()).checkin();
    await settle();
    (await built.pool.checkout()).checkin();
    expect(built.connector.pings.calls).toBe(1);
  });
});

describe('the order of reuse', () => {
  test('[44] lifo gives out the connection used last', async () => {
    const { pool, connector } = await idlePool(3, 0, { order: 'lifo' });
    expect((await pool.checkout()).connection).toBe(connector.opened[2]);
    expect((await pool.checkout()).connection).toBe(connector.opened[1]);
  });

  test('[43] fifo gives out the connection used longest ago', async () => {
    const { pool, connector } = await idlePool(3, 0, { order: 'fifo' });
    expect((await pool.checkout()).connection).toBe(connector.opened[0]);
    expect((await pool.checkout()).connection).toBe(connector.opened[1]);
  });
});
