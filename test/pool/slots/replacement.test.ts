import { describe, expect, test, vi } from 'vitest';
import { FakeConnectError } from '../support/fake-connector.ts';
import { buildPool, guardPools, type PoolUnderTest, settle } from '../support/open-pool-guard.ts';

guardPools();

const ONE = { size: 1, maxOverflow: 0 };

async function withOneIdle(options = {}): Promise<PoolUnderTest> {
  const built = buildPool(options);
  (await built.pool.checkout()).checkin();
  await settle();
  return built;
}

function closeReasons({ pool }: PoolUnderTest): string[] {
  const reasons: string[] = [];
  pool.events.on('close', ({ reason }) => reasons.push(reason));
  return reasons;
}

describe('a connection that must be replaced', () => {
  test.each<[string, (built: PoolUnderTest) => void]>([
    ['because it was invalidated', ({ pool }) => pool.invalidate('test')],
    ['because it is too old', () => vi.advanceTimersByTime(119_001)],
    ['because it was lost', ({ connector }) => connector.opened[0]?.lose()],
    ['[59] because its ping failed', ({ connector }) => (connector.pings.failure = new Error('gone'))],
  ])('[34] %s leaves all places free when the new login fails', async (_, spoil) => {
    const built = await withOneIdle({ size: 2, maxOverflow: 1 });
    const { pool, connector } = built;
    await vi.advanceTimersByTimeAsync(501);
    spoil(built);
    connector.opens.failure = new FakeConnectError('refused');
    await expect(pool.checkout()).rejects.toBe(connector.opens.failure);
    await settle();
    expect(pool.stats()).toMatchObject({ connections: 0, checkedOut: 0, opening: 0, idle: 0 });

    connector.recover();
    await vi.advanceTimersByTimeAsync(1_000);
    await Promise.all([pool.checkout(), pool.checkout(), pool.checkout()]);
    expect(connector.peak).toBe(3);
  });

  test('[51] gives its place to the new one only when its peer has let go, even if the goodbye fails', async () => {
    const { pool, connector } = await withOneIdle(ONE);
    connector.closes.hold();
    pool.invalidate('test');
    const waiting = pool.checkout();
    await settle();
    expect(connector.opens.calls).toBe(1);
    connector.closes.failure = new Error('close');
    connector.closes.letGo();
    expect((await waiting).connection).toBe(connector.opened[1]);
    expect(connector.peak).toBe(1);
  });

  test('[63] because it died unnoticed is found out by its borrower, and the next one gets a fresh one', async () => {
    const { pool, connector } = await withOneIdle({ ...ONE, prePing: false });
    await vi.advanceTimersByTimeAsync(60_000);
    const unlucky = await pool.checkout();
    expect(unlucky.connection).toBe(connector.opened[0]);
    unlucky.connection.isUsable = false;
    unlucky.checkin();
    expect((await pool.checkout()).connection).toBe(connector.opened[1]);
  });
});

describe('the reason of a close', () => {
  test('[50] is one: that it was lost, before that it was invalidated, before its age', async () => {
    const built = buildPool({ size: 3 });
    const reasons = closeReasons(built);
    const [lost, invalidated] = await Promise.all([built.pool.checkout(), built.pool.checkout()]);
    await vi.advanceTimersByTimeAsync(119_001);
    built.pool.invalidate('test');
    lost.connection.lose();
    lost.checkin();
    invalidated.checkin();
    expect(reasons).toEqual(['lost', 'invalidated']);
  });

  test('[70] is told once, however often a borrowed connection is invalidated', async () => {
    const built = buildPool();
    const reasons = closeReasons(built);
    const pooled = await built.pool.checkout();
    built.pool.invalidate('once');
    built.pool.invalidate('twice');
    pooled.checkin();
    await settle();
    built.pool.invalidate('and when it is gone');
    expect(reasons).toEqual(['invalidated']);
    expect(built.connector.closes.calls).toBe(1);
  });

  test('[101] is told before the connection is closed', async () => {
    const { pool, connector } = await withOneIdle();
    const goodbyes: number[] = [];
    pool.events.on('close', () => goodbyes.push(connector.closes.calls));
    pool.invalidate('test');
    await settle();
    expect([...goodbyes, connector.closes.calls]).toEqual([0, 1]);
  });
});

test('[93] a healthy connection gets a goodbye, a suspect one is cut off without', async () => {
  const { pool, connector } = await withOneIdle({ size: 1, maxOverflow: 1 });
  const [one, two] = await Promise.all([pool.checkout(), pool.checkout()]);
  one.checkin();
  two.checkin();
  await settle();
  expect(connector.closes.calls).toBe(1);

  await vi.advanceTimersByTimeAsync(501);
  connector.pings.failure = new Error('gone');
  await pool.checkout();
  expect(connector.opened.map(({ isCounted }) => isCounted)).toEqual([false, false, true]);
  expect(connector.closes.calls).toBe(1);
});
