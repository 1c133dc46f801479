import { describe, expect, test, vi } from 'vitest';
import { CheckedInError } from '../../lib/pool/pooled-connection.ts';
import { buildPool, guardPools, settle } from './support/open-pool-guard.ts';

guardPools();

const ONE = { size: 1, maxOverflow: 0 };

describe('a connection given back', () => {
  test('[85] is reset before anybody else gets it', async () => {
    const { pool, connector } = buildPool(ONE);
    const pooled = await pool.checkout();
    pooled.connection.isDirty = true;
    connector.resets.hold();
    pooled.checkin();
    const waiting = pool.checkout();
    await settle();
    expect(pool.stats()).toMatchObject({ waiting: 1, idle: 0, checkedOut: 0 });
    connector.resets.letGo();
    expect((await waiting).connection.isDirty).toBe(false);
  });

  test.each<[string, { hold?: true; failure?: Error; throwsAtOnce?: true }]>([
    ['fails', { failure: new Error('reset') }],
    ['throws at once', { throwsAtOnce: true }],
  ])('[84] is closed when its reset %s; the next in line gets a fresh one', async (_, trouble) => {
    const { pool, connector } = buildPool(ONE);
    const pooled = await pool.checkout();
    Object.assign(connector.resets, trouble);
    pooled.checkin();
    expect((await pool.checkout()).connection).toBe(connector.opened[1]);
    expect(connector.counted).toBe(1);
  });

  test('keeps nobody waiting for its goodbye while there is room for another', async () => {
    const { pool, connector } = buildPool({ size: 1, maxOverflow: 1 });
    const pooled = await pool.checkout();
    connector.resets.hold();
    connector.closes.hold();
    pooled.checkin();
    const waiting = pool.checkout();
    await settle();
    expect(connector.opens.calls).toBe(1);
    connector.resets.failure = new Error('reset');
    connector.resets.letGo();
    await settle();
    expect(pool.stats().closing).toBe(1);
    expect((await waiting).connection).toBe(connector.opened[1]);
  });

  test('is given up when its reset hangs, and so is the goodbye', async () => {
    const { pool, connector } = buildPool({ ...ONE, checkoutTimeoutMs: 90_000 });
    const pooled = await pool.checkout();
    connector.resets.hold();
    connector.closes.hold();
    pooled.checkin();
    const waiting = pool.checkout();
    await vi.advanceTimersByTimeAsync(65_000);
    expect((await waiting).connection).toBe(connector.opened[1]);
    expect(connector.counted).toBe(1);
  });

  test('is given five seconds for its reset, whenever those of others began', async () => {
    const { pool, connector } = buildPool({ size: 3, maxOverflow: 0 });
    const closed: number[] = [];
    pool.events.on('close', () => closed.push(performance.now() - sinceMs));
    const borrowed = await Promise.all([pool.checkout(), pool.checkout(), pool.checkout()]);
    const sinceMs = performance.now();
    connector.resets.hold();
    for (const pooled of borrowed) {
      pooled.checkin();
      await vi.advanceTimersByTimeAsync(1_000);
    }
    connector.resets.letGoOne();
    await vi.advanceTimersByTimeAsync(6_000);
    expect(closed).toEqual([6_000, 7_000]);
    expect(pool.stats()).toMatchObject({ idle: 1, connections: 1 });
  });

  test('[66] [67] is closed without a reset when it is unusable', async () => {
    const { pool, connector } = buildPool(ONE);
    const pooled = await pool.checkout();
    pooled.connection.isUsable = false;
    pooled.checkin();
    expect((await pool.checkout()).connection).toBe(connector.opened[1]);
    expect(connector.resets.calls).toBe(0);
  });

  test.each<[string, { failure?: Error; throwsAtOnce?: true }]>([
    ['fails', { failure: new Error('close') }],
    ['throws at once', { throwsAtOnce: true }],
  ])('[92] is cut off when its goodbye %s, and loses no slot even if that throws', async (_, trouble) => {
    const { pool, connector } = buildPool(ONE);
    const pooled = await pool.checkout();
    Object.assign(connector.closes, trouble);
    connector.destroyThrows = true;
    pool.invalidate('test');
    pooled.checkin();
    expect((await pool.checkout()).connection).toBe(connector.opened[1]);
    expect(connector.counted).toBe(1);
  });
});

describe('the handle of a checkout', () => {
  test('[88] can be checked in twice, which is counted and does not disturb the next borrower', async () => {
    const { pool } = buildPool(ONE);
    const first = await pool.checkout();
    first.checkin();
    const second = await pool.checkout();
    let again = 0;
    pool.events.on('double_checkin', () => {
      again += 1;
    });
    first.checkin();
    first[Symbol.dispose]();
    await settle();
    expect(again).toBe(1);
    expect(pool.stats()).toMatchObject({ checkedOut: 1, idle: 0 });
    expect(second.connection.isUsable).toBe(true);
  });

  test('[89] throws on use after checkin', async () => {
    const { pool } = buildPool();
    const pooled = await pool.checkout();
    pooled.checkin();
    expect(() => pooled.connection).toThrow(CheckedInError);
  });

  test('gives back at the end of a `using` block', async () => {
    const { pool } = buildPool();
    {
      using pooled = await pool.checkout();
      expect(pooled.connection.isUsable).toBe(true);
    }
    await settle();
    expect(pool.stats()).toMatchObject({ checkedOut: 0, idle: 1 });
  });
});

describe('[90] use', () => {
  test('returns what its work returns, and gives back', async () => {
    const { pool } = buildPool();
    expect(await pool.use(async ({ isUsable }) => await Promise.resolve(isUsable))).toBe(true);
    await settle();
    expect(pool.stats()).toMatchObject({ checkedOut: 0, idle: 1 });
  });

  test.each<[string, () => Promise<never>]>([
    ['rejects', async () => await Promise.reject(new Error('work'))],
    [
      'throws at once',
      () => {
        throw new Error('work');
      },
    ],
  ])('gives back when its work %s', async (_, work) => {
    const { pool } = buildPool();
    await expect(pool.use(work)).rejects.toThrow('work');
    await settle();
    expect(pool.stats()).toMatchObject({ checkedOut: 0, idle: 1 });
  });
});
