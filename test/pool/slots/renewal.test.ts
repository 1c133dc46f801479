import { describe, expect, test, vi } from 'vitest';
import { ServerConnectionLimit } from '../../../lib/pool/connects/server-limit.ts';
import { FakeConnectError } from '../support/fake-connector.ts';
import { buildPool, guardPools, type PoolUnderTest, settle } from '../support/open-pool-guard.ts';

guardPools();

const UPKEEP_MS = 30_000;

/** So many connections, all of them idle. */
async function idlePool(count: number, options = {}, server?: ServerConnectionLimit): Promise<PoolUnderTest> {
  const built = buildPool({ size: count, maxOverflow: 0, ...options }, server);
  const borrowed = await Promise.all(Array.from({ length: count }, async () => await built.pool.checkout()));
  for (const pooled of borrowed) pooled.checkin();
  await settle();
  return built;
}

/** Newer credentials become known. */
function supersede({ pool, connector }: PoolUnderTest): void {
  for (const connection of connector.opened) connection.isOutdated = true;
  pool.supersede('credentials');
}

function counted({ connector }: PoolUnderTest): boolean[] {
  return connector.opened.map(({ isCounted }) => isCounted);
}

describe('when newer credentials are known', () => {
  test('each idle connection serves until a login in its place has succeeded, and then goes', async () => {
    const built = await idlePool(2, { maxOverflow: 2 });
    built.connector.opens.hold();
    supersede(built);
    await settle();
    expect(counted(built)).toEqual([true, true]);
    const borrowed = await built.pool.checkout();
    expect(borrowed.connection).toBe(built.connector.opened[1]);
    borrowed.checkin();
    built.connector.opens.letGoOne();
    await settle();
    expect(counted(built)).toEqual([false, true, true]);
    built.connector.opens.letGo();
    await settle();
    expect(counted(built)).toEqual([false, false, true, true]);
  });

  test('at the cap one makes room, and no more than one at a time', async () => {
    const built = await idlePool(3);
    built.connector.opens.hold();
    supersede(built);
    await settle();
    expect(counted(built).filter((isCounted) => isCounted)).toHaveLength(2);
    expect(built.pool.stats()).toMatchObject({ opening: 1, idle: 2 });
    built.connector.opens.letGo();
    await settle();
    expect(built.pool.stats()).toMatchObject({ connections: 3, idle: 3 });
    expect(counted(built)).toEqual([false, false, false, true, true, true]);
    expect(built.connector.peak).toBe(3);
  });

  test('a busy one goes when it comes back, an open transaction long after the others too', async () => {
    const built = await idlePool(2, { maxOverflow: 1 });
    const busy = await built.pool.checkout();
    supersede(built);
    await settle();
    expect(counted(built)).toEqual([false, true, true]);
    busy.checkin();
    await settle();
    expect(counted(built)).toEqual([false, false, true, true]);
  });

  test('nobody in line fails though logins fail at first, and a login that was refused before is tried at once', async () => {
    const built = await idlePool(1, { maxOverflow: 1 });
    const { pool, connector } = built;
    const busy = await pool.checkout();
    connector.opens.failure = new FakeConnectError('credentials');
    const line = [pool.checkout(), pool.checkout()];
    await vi.advanceTimersByTimeAsync(2_000);
    const calls = connector.opens.calls;
    connector.opens.failure = undefined;
    supersede(built);
    await settle();
    expect(connector.opens.calls).toBe(calls + 1);
    (await line[0])?.checkin();
    (await line[1])?.checkin();
    busy.checkin();
    await settle();
  });

  test('[E1] calls are not told of a refusal of the credentials before, though nothing is open', async () => {
    const built = await idlePool(1, { maxOverflow: 1 });
    const { pool, connector } = built;
    connector.opens.failure = new FakeConnectError('credentials');
    connector.opened[0]?.lose();
    await expect(pool.checkout()).rejects.toBe(connector.opens.failure);
    connector.opens.failure = undefined;
    connector.opens.hold();
    pool.supersede('credentials');
    const line = [pool.checkout(), pool.checkout(), pool.checkout()];
    await settle();
    expect(pool.stats().waiting).toBe(3);
    connector.opens.letGo();
    for (const call of line) (await call).checkin();
  });

  test('a refusal of older credentials that comes in later fails nobody', async () => {
    const { pool, connector } = buildPool({ size: 1, maxOverflow: 0 });
    connector.opens.hold();
    const waiting = pool.checkout();
    await settle();
    connector.opens.failure = new FakeConnectError('credentials');
    pool.supersede('credentials');
    connector.opens.letGoOne();
    await settle();
    connector.opens.failure = undefined;
    connector.opens.letGo();
    expect((await waiting).connection).toBe(connector.opened[0]);
  });
});

describe('when the newer credentials are refused', () => {
  test('and the older ones taken, nothing goes, and they are tried again from time to time', async () => {
    const built = await idlePool(2, { maxOverflow: 1 });
    built.connector.opensOutdated = 1;
    supersede(built);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(built.pool.stats().idle).toBe(2);
    expect(built.connector.opens.calls).toBe(3);
    expect(built.connector.opened.slice(0, 2).filter(({ isCounted }) => isCounted).length).toBeGreaterThan(0);
    await vi.advanceTimersByTimeAsync(2 * UPKEEP_MS);
    expect(built.connector.opened.filter(({ isCounted }) => isCounted)).toHaveLength(2);
    expect(built.connector.opened.every(({ isCounted, isOutdated }) => isCounted !== isOutdated)).toBe(true);
  });

  test('no connection goes for its age or for lying idle', async () => {
    const options = { recycleAfterMs: 10_000, idleTimeoutMs: 15_000, maxOverflow: 1 };
    const built = await idlePool(2, options);
    built.connector.opens.failure = new FakeConnectError('credentials');
    supersede(built);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(counted(built)).toEqual([true, true]);
    expect((await built.pool.checkout()).connection).toBe(built.connector.opened[1]);
    built.connector.recover();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(counted(built).slice(0, 1)).toEqual([false]);
  });

  test('at the cap no more than one went for them', async () => {
    const built = await idlePool(3);
    built.connector.opens.failure = new FakeConnectError('credentials');
    for (let rotation = 0; rotation < 10; rotation += 1) {
      supersede(built);
      await vi.advanceTimersByTimeAsync(700);
    }
    expect(counted(built).filter((isCounted) => isCounted)).toHaveLength(2);
  });
});

describe('the only connection of a pool that has room for no other', () => {
  test('goes when the newer credentials have been proven beside it', async () => {
    const built = await idlePool(1);
    built.connector.opens.hold();
    supersede(built);
    await settle();
    expect([counted(built), built.connector.proofs]).toEqual([[true], 0]);
    built.connector.opens.letGo();
    await settle();
    expect(built.connector.proofs).toBe(1);
    expect(counted(built)).toEqual([false, true]);
    expect(built.connector.peak).toBe(1);
  });

  test('stays while they are refused, until they are taken', async () => {
    const built = await idlePool(1);
    built.connector.opens.failure = new FakeConnectError('credentials');
    supersede(built);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(counted(built)).toEqual([true]);
    built.connector.recover();
    await vi.advanceTimersByTimeAsync(UPKEEP_MS);
    expect(counted(built)).toEqual([false, true]);
  });

  test('is proven too where the server has room for no other', async () => {
    const built = await idlePool(1, { maxOverflow: 5 }, new ServerConnectionLimit(1));
    supersede(built);
    await settle();
    expect(built.connector.proofs).toBe(1);
    expect(counted(built)).toEqual([false, true]);
  });

  test('goes for calls that wait without end, once it is proven', async () => {
    const built = await idlePool(1);
    const borrowed = await built.pool.checkout();
    const line = [built.pool.checkout(), built.pool.checkout()];
    supersede(built);
    await settle();
    borrowed.checkin();
    const next = await line[0];
    expect(next?.connection).toBe(built.connector.opened[1]);
    next?.checkin();
    (await line[1])?.checkin();
  });
});
