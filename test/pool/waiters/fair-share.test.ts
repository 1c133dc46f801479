import { expect, test, vi } from 'vitest';
import { buildPool, guardPools, type PoolUnderTest, settle } from '../support/open-pool-guard.ts';

guardPools();

/** Calls of these callers, in this order, each using its connection for 10 ms. `served` grows as they get one. */
function call({ pool }: PoolUnderTest, callers: string[], served: string[] = []): string[] {
  for (const caller of callers) {
    void pool.use(
      async () => {
        served.push(caller);
        await new Promise((resolve) => {
          setTimeout(resolve, 10);
        });
      },
      { caller },
    );
  }
  return served;
}

test('a single call among 500 of another caller waits for one service time', async () => {
  const built = buildPool({ size: 1, maxOverflow: 0, maxWaiting: 1_000, checkoutTimeoutMs: 60_000 });
  const served = call(built, Array<string>(500).fill('many'));
  call(built, ['single'], served);
  await vi.advanceTimersByTimeAsync(25);
  expect(served.indexOf('single')).toBe(1);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(served).toHaveLength(501);
});

test('callers take turns, and each is served in the order of its calls', async () => {
  const built = buildPool({ size: 1, maxOverflow: 0 });
  const borrowed = await built.pool.checkout();
  const served = call(built, ['a', 'a', 'a', 'b', 'b', 'c']);
  borrowed.checkin();
  await vi.advanceTimersByTimeAsync(100);
  expect(served).toEqual(['a', 'b', 'c', 'a', 'b', 'a']);
});

test('a caller whose only call in line is given up loses nobody a turn', async () => {
  const built = buildPool({ size: 1, maxOverflow: 0 });
  const borrowed = await built.pool.checkout();
  const hangUp = new AbortController();
  const left = expect(built.pool.checkout({ caller: 'a', signal: hangUp.signal })).rejects.toThrow();
  const served = call(built, ['b', 'b', 'c']);
  hangUp.abort();
  await left;
  expect(built.pool.stats().waiting).toBe(3);
  borrowed.checkin();
  await vi.advanceTimersByTimeAsync(100);
  expect(served).toEqual(['b', 'c', 'b']);
});

test('the oldest wait is that of the call which came first, whosever turn it is', async () => {
  const { pool } = buildPool({ size: 1, maxOverflow: 0 });
  const borrowed = await pool.checkout();
  const line = ['a', 'a', 'b'].map(async (caller) => {
    const pooled = await pool.checkout({ caller });
    pooled.checkin();
  });
  await vi.advanceTimersByTimeAsync(100);
  expect(pool.stats().oldestWaitMs).toBe(100);
  borrowed.checkin();
  await settle();
  await Promise.all(line);
});
