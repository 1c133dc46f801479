import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeConnectError } from '../support/fake-connector.ts';
import { buildPool, guardPools, settle } from '../support/open-pool-guard.ts';

guardPools();

describe('[47] a connection that reached recycleAfterMs', () => {
  const options = { recycleAfterMs: 10_000, idleTimeoutMs: 600_000 };

  test.each([
    { random: 0, keptMs: 10_000, replacedMs: 10_001 },
    { random: 1, keptMs: 9_000, replacedMs: 9_001 },
  ])(
    'is replaced at checkin, the jitter ($random) only shortening its life',
    async ({ random, keptMs, replacedMs }) => {
      vi.spyOn(Math, 'random').mockReturnValue(random);
      const { pool, connector } = buildPool(options);
      const pooled = await pool.checkout();
      await vi.advanceTimersByTimeAsync(keptMs);
      pooled.checkin();
      const again = await pool.checkout();
      expect(connector.opened).toHaveLength(1);

      await vi.advanceTimersByTimeAsync(replacedMs - keptMs);
      again.checkin();
      await pool.checkout();
      expect(connector.opened.map(({ isCounted }) => isCounted)).toEqual([false, true]);
    },
  );

  test.each([true, false])(
    'is replaced at checkout too, if nothing closed it before, without a ping (prePing: %s)',
    async (prePing) => {
      vi.spyOn(Math, 'random').mockReturnValue(0);
      const { pool, connector } = buildPool({ ...options, prePing, size: 1, maxOverflow: 0 });
      (await pool.checkout()).checkin();
      await settle();
      // At a stroke, as where the process was too busy to look.
      vi.advanceTimersByTime(10_001);
      expect(pool.stats().idle).toBe(1);
      expect((await pool.checkout()).connection).toBe(connector.opened[1]);
      expect(connector.pings.calls).toBe(0);
    },
  );

  test('[48] is never taken from its borrower, however old', async () => {
    const { pool, connector } = buildPool(options);
    const pooled = await pool.checkout();
    await vi.advanceTimersByTimeAsync(100_000);
    expect(pooled.connection.isUsable).toBe(true);
    expect(connector.closes.calls).toBe(0);
  });

  describe('and retires early, by the jitter,', () => {
    beforeEach(() => {
      vi.spyOn(Math, 'random').mockReturnValue(1);
    });

    test('serves once more while its successor logs in, and no caller waits for a login', async () => {
      const { pool, connector } = buildPool({ ...options, size: 1, maxOverflow: 1, prePing: false });
      (await pool.checkout()).checkin();
      await vi.advanceTimersByTimeAsync(8_900);
      (await pool.checkout()).checkin();
      await vi.advanceTimersByTimeAsync(150);
      connector.opens.hold();
      const old = await pool.checkout();
      expect(old.connection).toBe(connector.opened[0]);
      expect(pool.stats()).toMatchObject({ checkedOut: 1, opening: 1 });
      connector.opens.letGo();
      await settle();
      old.checkin();
      connector.opens.hold();
      expect((await pool.checkout()).connection).toBe(connector.opened[1]);
      expect(connector.opens.calls).toBe(2);
      await settle();
      expect(connector.counted).toBe(1);
    });

    test('serves those in line until it is too old, where there is no room for a successor', async () => {
      const { pool, connector } = buildPool({ ...options, size: 1, maxOverflow: 0 });
      let pooled = await pool.checkout();
      const ages: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        await vi.advanceTimersByTimeAsync(round === 0 ? 9_500 : 400);
        const next = pool.checkout();
        pooled.checkin();
        pooled = await next;
        ages.push(connector.opened.indexOf(pooled.connection));
      }
      expect(ages).toEqual([0, 0, 1]);
    });
  });

  test('[37] counts its age from the end of its login', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { pool, connector } = buildPool({ ...options, checkoutTimeoutMs: 60_000 });
    connector.opens.hold();
    const waiting = pool.checkout();
    await vi.advanceTimersByTimeAsync(11_000);
    connector.opens.letGo();
    (await waiting).checkin();
    await settle();
    expect(pool.stats().idle).toBe(1);
  });
});

describe('a peer that changed its role', () => {
  test('has all connections opened before replaced, once, though each of them tells', async () => {
    const { pool, connector } = buildPool({ size: 3 });
    const reasons: string[] = [];
    pool.events.on('invalidate', ({ reason }) => reasons.push(reason));
    const [one, two, idle] = await Promise.all([pool.checkout(), pool.checkout(), pool.checkout()]);
    idle.checkin();
    await settle();
    for (const connection of connector.opened) connection.hasChangedRole = true;
    one.checkin();
    await settle();
    expect(connector.opened.map(({ isCounted }) => isCounted)).toEqual([false, true, false]);
    (await pool.checkout()).checkin();
    two.checkin();
    await settle();
    expect(connector.opened.map(({ isCounted }) => isCounted)).toEqual([false, false, false, true]);
    expect(reasons).toEqual(['role_change']);
  });
});

describe('invalidate', () => {
  test('[69] [71] [109] closes idle connections at once and busy ones when they come back', async () => {
    const { pool, connector } = buildPool();
    const [busy, idle] = await Promise.all([pool.checkout(), pool.checkout()]);
    idle.checkin();
    await settle();
    pool.invalidate('test');
    await settle();
    expect(connector.opened.map(({ isCounted }) => isCounted)).toEqual([true, false]);
    expect(busy.connection.isUsable).toBe(true);
    busy.checkin();
    await settle();
    expect(connector.counted).toBe(0);
    expect(connector.resets.calls).toBe(1);
  });

  test('[64] replaces a login that began before it', async () => {
    const { pool, connector } = buildPool({ size: 1, maxOverflow: 0 });
    connector.opens.hold();
    const waiting = pool.checkout();
    await settle();
    pool.invalidate('test');
    connector.opens.letGo();
    expect((await waiting).connection).toBe(connector.opened[1]);
    expect(connector.opened[0]?.isCounted).toBe(false);
  });

  test.each(['pings', 'resets'] as const)('[64] replaces a connection that is at its %s', async (kind) => {
    const { pool, connector } = buildPool({ size: 1, maxOverflow: 0 });
    (await pool.checkout()).checkin();
    await vi.advanceTimersByTimeAsync(1_000);
    connector[kind].hold();
    const borrowed = pool.checkout();
    await settle();
    if (kind === 'resets') (await borrowed).checkin();
    const waiting = kind === 'resets' ? pool.checkout() : borrowed;
    pool.invalidate('test');
    connector[kind].letGo();
    expect((await waiting).connection).toBe(connector.opened[1]);
    expect(connector.opened[0]?.isCounted).toBe(false);
  });

  test('leaves what is opened afterwards alone', async () => {
    const { pool, connector } = buildPool();
    pool.invalidate('test');
    (await pool.checkout()).checkin();
    await settle();
    expect((await pool.checkout()).connection).toBe(connector.opened[0]);
    expect(pool.stats().generation).toBe(1);
  });

  test('does not hide what was opened after it from an outage, though an older login comes last', async () => {
    const { pool, connector } = buildPool({ size: 2, maxOverflow: 0 });
    connector.opens.hold();
    const line = [pool.checkout()];
    await settle();
    pool.invalidate('test');
    line.push(pool.checkout());
    await settle();
    connector.opens.letGoOne(1);
    const pooled = await line[0];
    connector.opens.letGoOne(0);
    await settle();
    connector.opens.failure = new FakeConnectError('outage');
    const rejected = expect(line[1]).rejects.toBe(connector.opens.failure);
    connector.opens.letGo();
    await settle();
    expect(pool.stats().generation).toBe(2);
    pooled?.checkin();
    await rejected;
  });

  test('[28] does not harm those in line', async () => {
    const { pool, connector } = buildPool({ size: 1, maxOverflow: 0 });
    const borrowed = await pool.checkout();
    const line = [pool.checkout(), pool.checkout()];
    pool.invalidate('test');
    borrowed.checkin();
    const next = await line[0];
    expect(next?.connection).toBe(connector.opened[1]);
    next?.checkin();
    expect((await line[1])?.connection).toBe(connector.opened[1]);
  });
});
