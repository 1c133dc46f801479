import { expect, test, vi } from 'vitest';
import type { FakeConnection } from '../support/fake-connector.ts';
import { buildPool, guardPools, type PoolUnderTest, settle } from '../support/open-pool-guard.ts';

guardPools();

async function passMs(durationMs: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, durationMs);
  });
}

/** A pool with this many idle connections, and logins that take `loginMs` from now on. */
async function warmPool(warm: number, loginMs: number): Promise<PoolUnderTest> {
  const built = buildPool({ size: 50, maxOverflow: 0, checkoutTimeoutMs: 30_000 });
  const { pool, connector } = built;
  const borrowed = await Promise.all(Array.from({ length: warm }, async () => await pool.checkout()));
  for (const pooled of borrowed) pooled.checkin();
  await settle();
  const open = connector.open.bind(connector);
  connector.open = async (timeoutMs) => {
    const connection = await open(timeoutMs);
    await passMs(loginMs);
    return connection;
  };
  return built;
}

/** Calls that come at once and use their connections for so long. Resolves, when time passes, with the last. */
async function call({ pool }: PoolUnderTest, calls: number, durationMs: number): Promise<void> {
  const work = async () => await passMs(durationMs);
  await Promise.all(Array.from({ length: calls }, async () => await pool.use(work)));
}

async function finish(calls: Promise<unknown>): Promise<void> {
  await vi.advanceTimersByTimeAsync(30_000);
  await calls;
}

test('a spike of 50 quick calls on 5 warm connections opens one or two, not 45', async () => {
  const built = await warmPool(5, 150);
  await finish(call(built, 50, 2));
  expect(built.connector.opens.calls - 5).toBeGreaterThanOrEqual(1);
  expect(built.connector.opens.calls - 5).toBeLessThanOrEqual(2);
});

test('a line that persists doubles the logins with every round, up to the cap', async () => {
  const built = await warmPool(5, 150);
  const done = call(built, 100, 10_000);
  const begun: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    await vi.advanceTimersByTimeAsync(round === 0 ? 0 : 150);
    begun.push(built.connector.opens.calls - 5);
  }
  expect(begun[0]).toBe(2);
  expect(begun[2]).toBeGreaterThanOrEqual(2 + 4);
  await vi.advanceTimersByTimeAsync(300);
  expect(built.pool.stats().connections).toBe(50);
  await finish(done);
});

test('the next line begins slowly again', async () => {
  const built = await warmPool(5, 150);
  await finish(call(built, 20, 1_000));
  const before = built.connector.opens.calls;
  expect(built.pool.stats().idle).toBeGreaterThan(5);
  await finish(call(built, 80, 2));
  expect(built.connector.opens.calls - before).toBeLessThanOrEqual(2);
});

test('the first burst on a cold pool of 20 is all open after three logins in a row', async () => {
  const built = await warmPool(0, 50);
  const done = call(built, 20, 1_000);
  await vi.advanceTimersByTimeAsync(0);
  expect(built.pool.stats().opening).toBe(8);
  await vi.advanceTimersByTimeAsync(150);
  expect(built.pool.stats().checkedOut).toBe(20);
  await finish(done);
});

test('[27] logins that hang hold the others up for 100 ms each at most', async () => {
  const built = await warmPool(1, 0);
  await built.pool.checkout();
  built.connector.opens.hold();
  const line = [1, 2, 3].map(async () => await built.pool.checkout());
  await settle();
  expect(built.pool.stats().opening).toBe(2);
  await vi.advanceTimersByTimeAsync(100);
  built.connector.opens.letGoOne(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(built.pool.stats()).toMatchObject({ checkedOut: 2, opening: 2, waiting: 2 });
  built.connector.opens.letGo();
  await finish(Promise.all(line));
});

test('a login that was held back does not begin when nobody wants it any more', async () => {
  const built = await warmPool(1, 0);
  const borrowed = await built.pool.checkout();
  built.connector.opens.hold();
  const hangUp = new AbortController();
  const { signal } = hangUp;
  const line = [1, 2, 3].map(async () => await built.pool.checkout({ signal }).catch(() => 'left'));
  await settle();
  hangUp.abort();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(built.connector.opens.calls).toBe(1 + 2);
  await Promise.all(line);
  borrowed.checkin();
});

test('connections that are lost with every use are opened 50 a second at most', async () => {
  const { pool, connector } = await warmPool(0, 1);
  const isOver = vi.fn(() => false);
  const worker = async () => {
    while (!isOver()) {
      await pool.use(async (connection: FakeConnection) => {
        await passMs(1);
        connection.isUsable = false;
      });
    }
  };
  const working = Promise.all(Array.from({ length: 10 }, worker));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(connector.opens.calls).toBeLessThanOrEqual(20 + 500);
  expect(connector.opens.calls).toBeGreaterThan(450);
  isOver.mockReturnValue(true);
  await vi.advanceTimersByTimeAsync(1_000);
  await working;
});
