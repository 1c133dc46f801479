import { describe, expect, test, vi } from 'vitest';
import type { PooledConnection } from '../../../lib/pool/pooled-connection.ts';
import { fc } from '../../support/random.ts';
import type { FakeConnection } from '../support/fake-connector.ts';
import { buildPool, guardPools, settle } from '../support/open-pool-guard.ts';

guardPools();

const ONE = { size: 1, maxOverflow: 0 };
const USED_TOO = { takesUsed: true };

/** `isDirty` tells that somebody has used it since its last reset. */
function checkinUsed(pooled: PooledConnection<FakeConnection>): void {
  pooled.connection.isDirty = true;
  pooled.connection.needsReset = false;
  pooled.checkin();
}

describe('a connection that needs no reset', () => {
  test('[80] goes unreset from the idle store to one who takes used ones', async () => {
    const { pool, connector } = buildPool(ONE);
    checkinUsed(await pool.checkout());
    expect(pool.stats()).toMatchObject({ idle: 1 });
    expect((await pool.checkout(USED_TOO)).connection).toBe(connector.opened[0]);
    expect(connector.resets.calls).toBe(0);
  });

  test('goes unreset to the head of the line if that takes used ones', async () => {
    const { pool, connector } = buildPool(ONE);
    const pooled = await pool.checkout();
    const waiting = pool.checkout(USED_TOO);
    checkinUsed(pooled);
    await waiting;
    expect(connector.resets.calls).toBe(0);
  });

  test('is reset for the head of the line if that takes none', async () => {
    const { pool, connector } = buildPool(ONE);
    const pooled = await pool.checkout();
    const first = pool.checkout();
    const second = pool.checkout(USED_TOO);
    connector.resets.hold();
    checkinUsed(pooled);
    await settle();
    expect(pool.stats()).toMatchObject({ waiting: 2, checkedOut: 0 });
    connector.resets.letGo();
    const served = await first;
    expect(served.connection.isDirty).toBe(false);
    checkinUsed(served);
    expect((await second).connection.isDirty).toBe(true);
  });

  test('is reset on the way from the idle store to one who takes none', async () => {
    const { pool, connector } = buildPool(ONE);
    checkinUsed(await pool.checkout());
    expect((await pool.checkout()).connection.isDirty).toBe(false);
    expect(connector.resets.calls).toBe(1);
    expect(connector.opens.calls).toBe(1);
  });

  test('stays in the idle store while a clean one serves who takes none', async () => {
    const { pool, connector } = buildPool({ size: 2, maxOverflow: 0 });
    const both = await Promise.all([pool.checkout(), pool.checkout()]);
    both[0].checkin();
    await settle();
    checkinUsed(both[1]);
    expect((await pool.checkout()).connection).toBe(connector.opened[0]);
    expect(connector.resets.calls).toBe(1);
  });

  test('is reset for one caller, not as often as there are idle ones', async () => {
    const { pool, connector } = buildPool({ size: 3, maxOverflow: 0 });
    for (const pooled of await Promise.all([1, 2, 3].map(() => pool.checkout()))) checkinUsed(pooled);
    await pool.checkout();
    expect(connector.resets.calls).toBe(1);
  });

  test('is reset within 100 ms in the idle store, once', async () => {
    const { pool, connector } = buildPool(ONE);
    checkinUsed(await pool.checkout());
    await vi.advanceTimersByTimeAsync(100);
    expect(connector.opened[0]?.isDirty).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(connector.resets.calls).toBe(1);
    expect(pool.stats()).toMatchObject({ idle: 1 });
  });

  test('is closed when the pool drains or has its size without it', async () => {
    const { pool, connector } = buildPool({ size: 1, maxOverflow: 1 });
    const both = await Promise.all([pool.checkout(), pool.checkout()]);
    for (const pooled of both) checkinUsed(pooled);
    await settle();
    expect(connector.counted).toBe(1);
    expect(connector.resets.calls).toBe(0);
  });

  test('that fails its reset is replaced for who waits', async () => {
    const { pool, connector } = buildPool(ONE);
    checkinUsed(await pool.checkout());
    connector.resets.failure = new Error('reset');
    expect((await pool.checkout()).connection).toBe(connector.opened[1]);
  });
});

test('a connection that needs a reset gets one, also before one who takes used ones', async () => {
  const { pool, connector } = buildPool(ONE);
  const pooled = await pool.checkout();
  checkinUsed(pooled);
  const again = await pool.checkout(USED_TOO);
  again.connection.needsReset = true;
  again.checkin();
  expect((await pool.checkout(USED_TOO)).connection.isDirty).toBe(false);
  expect(connector.resets.calls).toBe(1);
});

test('whatever the order, only who takes used ones gets one, and only one that needs no reset', async () => {
  const step = fc.record({
    does: fc.constantFrom('checkout', 'checkin', 'pass'),
    yes: fc.boolean(),
    pick: fc.nat(10),
  });
  const property = fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
    const { pool } = buildPool({ size: 2, maxOverflow: 1 });
    const borrowed: PooledConnection<FakeConnection>[] = [];
    const wrong: string[] = [];
    const all: Promise<void>[] = [];
    for (const { does, yes, pick } of steps) {
      if (does === 'pass') await vi.advanceTimersByTimeAsync(pick * 9);
      const pooled =
        does === 'checkin' ? borrowed.splice(pick % Math.max(1, borrowed.length), 1)[0] : undefined;
      if (pooled !== undefined) {
        pooled.connection.needsReset = pooled.connection.needsReset || yes;
        pooled.checkin();
      }
      if (does !== 'checkout') continue;
      const lent = pool.checkout({ takesUsed: yes }).then(
        (served) => {
          borrowed.push(served);
          const { connection } = served;
          if (connection.isDirty && !yes) wrong.push('a used one went to who takes none');
          if (connection.isDirty && connection.needsReset) wrong.push('a reset was left out');
          if (!connection.isDirty) connection.needsReset = false;
          connection.isDirty = true;
        },
        () => undefined,
      );
      all.push(lent);
    }
    while (borrowed.length > 0 || pool.stats().waiting > 0) {
      for (const pooled of borrowed.splice(0)) pooled.checkin();
      await settle();
    }
    await Promise.all(all);
    expect(wrong).toEqual([]);
  });
  await fc.assert(property, { numRuns: 100 });
});
