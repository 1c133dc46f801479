import { describe, expect, test, vi } from 'vitest';
import { Deadline } from '../../../lib/async/deadline.ts';
import { FakeConnectError } from '../support/fake-connector.ts';
import { buildPool, guardPools, type PoolUnderTest, settle } from '../support/open-pool-guard.ts';

guardPools();

const LONGEST_BACK_OFF_MS = 5_000;

/** A pool that has lost its database and knows it. */
async function downPool(): Promise<PoolUnderTest & { failure: FakeConnectError }> {
  const built = buildPool();
  const failure = built.connector.breakDown();
  await expect(built.pool.checkout()).rejects.toBe(failure);
  return { ...built, failure };
}

function checkouts({ pool }: PoolUnderTest, count: number) {
  return Array.from({ length: count }, async () => await pool.checkout());
}

describe('with nothing open', () => {
  test.each(['outage', 'refused'] as const)(
    '[35] a connect that fails (%s) fails all in line at once',
    async (verdict) => {
      const built = buildPool();
      built.connector.opens.hold();
      const line = checkouts(built, 6);
      const failure = new FakeConnectError(verdict);
      built.connector.opens.failure = failure;
      built.connector.opens.letGoOne();
      for (const caller of line) await expect(caller).rejects.toBe(failure);
      expect(performance.now()).toBe(built.connector.triedAtMs[0]);
      expect(built.pool.stats().waiting).toBe(0);
    },
  );

  test('a connector that throws at once is a failed connect', async () => {
    const { pool, connector } = buildPool({ size: 1, maxOverflow: 0 });
    connector.opens.throwsAtOnce = true;
    await expect(pool.checkout()).rejects.toThrow('thrown, not rejected');
    expect(pool.stats().connections).toBe(0);
  });

  test('a full server keeps callers in line until POOL_TIMEOUT, with that reason', async () => {
    const { pool, connector } = buildPool();
    const failure = new FakeConnectError('full');
    connector.opens.failure = failure;
    const rejected = expect(pool.checkout()).rejects.toMatchObject({
      code: 'POOL_TIMEOUT',
      reason: failure.message,
      cause: failure,
    });
    await vi.advanceTimersByTimeAsync(4_999);
    expect(pool.stats().waiting).toBe(1);
    expect(pool.downReason).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await rejected;
  });

  test('a full server that has room again serves those in line', async () => {
    const built = buildPool();
    built.connector.opens.failure = new FakeConnectError('full');
    const line = checkouts(built, 3);
    await vi.advanceTimersByTimeAsync(1_000);
    built.connector.recover();
    await vi.advanceTimersByTimeAsync(3_000);
    await expect(Promise.all(line)).resolves.toHaveLength(3);
  });
});

describe('with a connection open', () => {
  test('those in line stay when a connect is refused, and take what comes back', async () => {
    const built = buildPool();
    const borrowed = await built.pool.checkout();
    built.connector.opens.failure = new FakeConnectError('refused');
    const [waiting] = checkouts(built, 1);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(built.pool.stats().waiting).toBe(1);
    borrowed.checkin();
    expect((await waiting)?.connection).toBe(built.connector.opened[0]);
  });

  test('those in line stay in an outage, which may be over when their turn comes', async () => {
    const built = buildPool();
    await built.pool.checkout();
    built.connector.opens.failure = new FakeConnectError('outage');
    const [waiting] = checkouts(built, 1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(built.pool.stats().waiting).toBe(1);
    expect(built.pool.downReason).toBeUndefined();
    built.connector.recover();
    await vi.advanceTimersByTimeAsync(3_000);
    expect((await waiting)?.connection).toBe(built.connector.opened[1]);
  });

  test('those in line fail at once when the last one goes', async () => {
    const built = buildPool();
    const borrowed = await built.pool.checkout();
    const failure = new FakeConnectError('outage');
    built.connector.opens.failure = failure;
    const [waiting] = checkouts(built, 1);
    await settle();
    const sinceMs = performance.now();
    borrowed.connection.lose();
    borrowed.checkin();
    await expect(waiting).rejects.toBe(failure);
    expect(performance.now()).toBe(sinceMs);
  });

  test('a failure of long ago fails nobody when the last one goes', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { pool, connector } = buildPool({ recycleAfterMs: 10_000 });
    const borrowed = await pool.checkout();
    connector.opens.failure = new FakeConnectError('refused');
    const deadline = Deadline.after(10);
    const left = expect(pool.checkout({ deadline })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await vi.advanceTimersByTimeAsync(10);
    await left;
    connector.recover();
    borrowed.checkin();
    await settle();
    // At a stroke: what is too old is closed as soon as anybody looks.
    vi.advanceTimersByTime(9_991);
    expect(pool.stats().idle).toBe(1);
    expect((await pool.checkout()).connection).toBe(connector.opened[1]);
  });

  test('one that only says goodbye keeps nobody in line', async () => {
    const built = buildPool();
    const borrowed = await built.pool.checkout();
    built.connector.closes.hold();
    built.pool.invalidate('test');
    borrowed.checkin();
    await settle();
    const failure = new FakeConnectError('outage');
    built.connector.opens.failure = failure;
    await expect(built.pool.checkout()).rejects.toBe(failure);
    expect(built.pool.downReason).toBe(failure);
  });
});

describe('while the database is down', () => {
  test('callers fail at once, without a try of their own', async () => {
    const { pool, connector, failure } = await downPool();
    for (let caller = 0; caller < 100; caller += 1) await expect(pool.checkout()).rejects.toBe(failure);
    expect(connector.opens.calls).toBe(1);
    expect(pool.downReason).toBe(failure);
  });

  test('[36] the back-off bounds the number of tries, whatever callers do', async () => {
    const { pool, connector } = await downPool();
    for (let elapsedMs = 0; elapsedMs < 60_000; elapsedMs += 50) {
      await pool.checkout().catch(() => undefined);
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(connector.opens.calls).toBeGreaterThan(60_000 / LONGEST_BACK_OFF_MS);
    expect(connector.opens.calls).toBeLessThan(32);
  });

  test('the back-off is jittered: at least half, at most all of a delay that doubles', async () => {
    const delaysMs = async (random: number) => {
      vi.spyOn(Math, 'random').mockReturnValue(random);
      const { connector } = await downPool();
      await vi.advanceTimersByTimeAsync(20_000);
      return connector.triedAtMs.slice(1, 9).map((atMs, index) => atMs - (connector.triedAtMs[index] ?? 0));
    };
    expect(await delaysMs(0)).toEqual([50, 100, 200, 400, 800, 1_600, 2_500, 2_500]);
    expect(await delaysMs(1)).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  });

  test('one login at a time tries', async () => {
    const built = await downPool();
    built.connector.opens.hold();
    let mostOpening = 0;
    for (let elapsedMs = 0; elapsedMs < 20_000; elapsedMs += 100) {
      for (const caller of checkouts(built, 5)) caller.catch(() => undefined);
      await vi.advanceTimersByTimeAsync(100);
      mostOpening = Math.max(mostOpening, built.pool.stats().opening);
    }
    expect(mostOpening).toBe(1);
  });

  test.each([0, 0.123, 0.5, 0.999])(
    'it notices that the database is back, with no caller (jitter %d)',
    async (random) => {
      vi.spyOn(Math, 'random').mockReturnValue(random);
      const { pool, connector } = await downPool();
      await vi.advanceTimersByTimeAsync(20_000);
      connector.recover();
      await vi.advanceTimersByTimeAsync(LONGEST_BACK_OFF_MS + 10);
      expect(pool.downReason).toBeUndefined();
      expect(pool.stats()).toMatchObject({ idle: 1, connections: 1 });
    },
  );

  test('the first success ends it: all are served, and the next failure starts a new back-off', async () => {
    const built = await downPool();
    const { pool, connector } = built;
    await vi.advanceTimersByTimeAsync(20_000);
    connector.recover();
    await vi.advanceTimersByTimeAsync(LONGEST_BACK_OFF_MS + 10);
    const borrowed = await Promise.all(checkouts(built, 3));
    const [late] = checkouts(built, 1);
    const rejected = expect(late).rejects.toMatchObject({ code: 'POOL_TIMEOUT', reason: undefined });
    await vi.advanceTimersByTimeAsync(5_000);
    await rejected;

    const failure = connector.breakDown();
    for (const pooled of borrowed) pooled.checkin();
    await expect(pool.checkout()).rejects.toBe(failure);
    connector.recover();
    await vi.advanceTimersByTimeAsync(110);
    expect(pool.downReason).toBeUndefined();
  });

  test('a burst of logins that fail together is one failure', async () => {
    const built = buildPool({ size: 8 });
    built.connector.opens.failure = new FakeConnectError('outage');
    await Promise.allSettled(checkouts(built, 8));
    expect(built.connector.opens.calls).toBe(8);
    built.connector.recover();
    await vi.advanceTimersByTimeAsync(110);
    expect(built.pool.downReason).toBeUndefined();
  });
});
