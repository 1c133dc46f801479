import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { Deadline } from '../../lib/async/deadline.ts';
import type { QueuePool } from '../../lib/pool/queue-pool.ts';
import type { FakeConnection, FakeConnector } from './support/fake-connector.ts';
import { buildUnguardedPool, guardPools } from './support/open-pool-guard.ts';

guardPools();

const SIZE = 10;
/** What a pool may do about a queue when its ten connections are in use. */
const POOLS = {
  byExpectedWait: { size: SIZE, maxOverflow: SIZE },
  always: { size: 2 * SIZE, maxOverflow: 0 },
  never: { size: SIZE, maxOverflow: 0 },
} as const;

interface Call {
  readonly atMs: number;
  readonly heldMs: number;
}

interface Load {
  readonly calls: readonly Call[];
  readonly loginMs: number;
  /** How long connections were held before. */
  readonly heldBeforeMs: number;
  /** The server runs so many statements at full speed; more of them share that. */
  readonly cores?: number;
}

interface Outcome {
  /** On top of the first ten. */
  readonly opened: number;
  /** By call. */
  readonly waitsMs: readonly number[];
  /** Of the calls, from arrival to end. */
  readonly meanMs: number;
}

async function passMs(durationMs: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, durationMs);
  });
}

function takeLogins(connector: FakeConnector, loginMs: number): void {
  const open = connector.open.bind(connector);
  connector.open = async (timeoutMs) => {
    const connection = await open(timeoutMs);
    await passMs(loginMs);
    return connection;
  };
}

/** Until nothing of it is left, not even the pause between two logins. */
async function end(pool: QueuePool<FakeConnection>): Promise<void> {
  const ended = pool.drain(Deadline.after(1_000));
  await vi.advanceTimersByTimeAsync(10_000);
  await ended;
}

/** What a load does to a pool whose first ten connections are open and were used before. */
async function outcomeOf(
  bounds: { readonly size: number; readonly maxOverflow: number },
  { calls, loginMs, heldBeforeMs, cores = Number.POSITIVE_INFINITY }: Load,
): Promise<Outcome> {
  const { pool, connector } = buildUnguardedPool({
    ...bounds,
    maxWaiting: 100_000,
    checkoutTimeoutMs: 3_600_000,
    prePing: false,
    recycleAfterMs: 3_600_000,
  });
  takeLogins(connector, loginMs);
  const finish = async (work: Promise<unknown>) => {
    const progress = { isDone: false };
    void work.then(() => {
      progress.isDone = true;
    });
    while (!progress.isDone) await vi.advanceTimersByTimeAsync(50);
  };
  const hold = async (heldMs: number) =>
    await pool.use(async () => await passMs(heldMs * Math.max(1, pool.stats().checkedOut / cores)));
  await finish(Promise.all(Array.from({ length: SIZE }, async () => await hold(heldBeforeMs))));
  expect(connector.opens.calls).toBe(SIZE);

  const waitsMs: number[] = [];
  let sumMs = 0;
  const come = async ({ atMs, heldMs }: Call, index: number) => {
    await passMs(atMs);
    const sinceMs = performance.now();
    await pool.use(async () => {
      waitsMs[index] = performance.now() - sinceMs;
      await passMs(heldMs * Math.max(1, pool.stats().checkedOut / cores));
    });
    sumMs += performance.now() - sinceMs;
  };
  await finish(Promise.all(calls.map(come)));
  await end(pool);
  const meanMs = sumMs / calls.length;
  return { opened: connector.opens.calls - SIZE, waitsMs, meanMs };
}

async function outcomesOf(load: Load): Promise<Record<keyof typeof POOLS, Outcome>> {
  return {
    byExpectedWait: await outcomeOf(POOLS.byExpectedWait, load),
    always: await outcomeOf(POOLS.always, load),
    never: await outcomeOf(POOLS.never, load),
  };
}

const burst = (length: number, heldMs: number): Call[] => Array.from({ length }, () => ({ atMs: 0, heldMs }));

describe('overflow is opened by expected wait', () => {
  test('a burst that the open connections serve sooner than a login opens none', async () => {
    const load = { calls: burst(100, 2), loginMs: 30, heldBeforeMs: 2 };
    const { byExpectedWait, always, never } = await outcomesOf(load);
    expect(byExpectedWait.opened).toBe(0);
    expect(always.opened).toBeGreaterThan(0);
    expect(byExpectedWait.waitsMs).toEqual(never.waitsMs);
    expect(byExpectedWait.meanMs).toBeLessThanOrEqual(always.meanMs);
  });

  test('one that they serve later than a login opens as many as ever', async () => {
    const load = { calls: burst(40, 500), loginMs: 30, heldBeforeMs: 500 };
    const { byExpectedWait, always, never } = await outcomesOf(load);
    expect(byExpectedWait.opened).toBe(10);
    expect(byExpectedWait.waitsMs).toEqual(always.waitsMs);
    expect(byExpectedWait.meanMs).toBeLessThan(never.meanMs * 0.7);
  });

  test('a queue that grows without end opens them when it is long enough', async () => {
    const calls = Array.from({ length: 400 }, (_, index) => ({ atMs: index, heldMs: 15 }));
    const { byExpectedWait, never } = await outcomesOf({ calls, loginMs: 30, heldBeforeMs: 15 });
    expect(byExpectedWait.opened).toBeGreaterThanOrEqual(5);
    expect(Math.max(...byExpectedWait.waitsMs)).toBeLessThan(100);
    expect(Math.max(...never.waitsMs)).toBeGreaterThan(120);
  });

  test('one that is as long as ever, on a server that more connections make no faster, opens none', async () => {
    const calls = Array.from({ length: 500 }, (_, index) => ({
      atMs: Math.floor(index / 50) * 12,
      heldMs: 2,
    }));
    const { byExpectedWait, always } = await outcomesOf({ calls, loginMs: 30, heldBeforeMs: 2, cores: SIZE });
    expect(byExpectedWait.opened).toBe(0);
    expect(always.opened).toBeGreaterThan(0);
    expect(byExpectedWait.meanMs).toBeLessThanOrEqual(always.meanMs * 1.1);
  });

  test('holders that are slower than those before them hold nobody up for longer than a login, and the login', async () => {
    const calls = [...burst(SIZE, 10_000), { atMs: 100, heldMs: 2 }];
    const { byExpectedWait, always } = await outcomesOf({ calls, loginMs: 30, heldBeforeMs: 2 });
    expect(always.waitsMs[SIZE]).toBe(30);
    expect(byExpectedWait.waitsMs[SIZE]).toBeGreaterThanOrEqual(30 + 30);
    expect(byExpectedWait.waitsMs[SIZE]).toBeLessThanOrEqual(30 + 30 + 5);
  });

  test('nor a queue of them', async () => {
    const calls = [...burst(SIZE, 10_000), ...burst(10, 10_000)];
    const { byExpectedWait, always } = await outcomesOf({ calls, loginMs: 30, heldBeforeMs: 2 });
    expect(byExpectedWait.opened).toBe(10);
    expect(Math.max(...byExpectedWait.waitsMs)).toBeLessThanOrEqual(Math.max(...always.waitsMs) + 30 + 5);
  });

  test('without a checkout before, a pool opens at once', async () => {
    const { pool, connector } = buildUnguardedPool({ size: 2, maxOverflow: 2 });
    takeLogins(connector, 30);
    const all = Promise.all(Array.from({ length: 4 }, async () => await pool.checkout()));
    await vi.advanceTimersByTimeAsync(30);
    for (const pooled of await all) pooled.checkin();
    await end(pool);
    expect(connector.opens.calls).toBe(4);
  });

  test('whatever the load, a call waits for at most a login longer than where it is always opened', async () => {
    const anyLoad = fc.record({
      loginMs: fc.constantFrom(1, 5, 30, 200),
      heldBeforeMs: fc.constantFrom(1, 2, 20, 500),
      calls: fc.array(
        fc.record({ atMs: fc.nat({ max: 300 }), heldMs: fc.constantFrom(1, 2, 5, 20, 100, 1_000) }),
        { minLength: 1, maxLength: 60, size: 'max' },
      ),
    });
    await fc.assert(
      fc.asyncProperty(anyLoad, async (load) => {
        const { byExpectedWait, always, never } = await outcomesOf(load);
        expect(byExpectedWait.opened).toBeLessThanOrEqual(Math.max(10, always.opened));
        expect(byExpectedWait.meanMs).toBeLessThanOrEqual(
          Math.min(never.meanMs, always.meanMs + load.loginMs) + load.loginMs + 1,
        );
      }),
      { numRuns: 20 },
    );
  });
});
