import { describe, expect, test, vi } from 'vitest';
import type { PoolOptions } from '../../../lib/pool/pool-options.ts';
import { FakeConnectError } from '../support/fake-connector.ts';
import { buildPool, guardPools, settle } from '../support/open-pool-guard.ts';

guardPools();

const SIZE = 20;
const RECYCLE_AFTER_MS = 119_000;
const JITTER_WINDOW_MS = 11_900;
const MOST_AT_ONCE = 2;

/** A pool whose connections were all opened in one moment, and at which ages it closes them. */
async function poolOfOneAge(options: Partial<PoolOptions> = {}) {
  const built = buildPool({ size: SIZE, maxOverflow: 0, recycleAfterMs: RECYCLE_AFTER_MS, ...options });
  const borrowed = await Promise.all(Array.from({ length: SIZE }, async () => await built.pool.checkout()));
  for (const pooled of borrowed) pooled.checkin();
  await settle();
  expect(built.pool.stats().idle).toBe(SIZE);
  const openedAtMs = performance.now();
  const ages: number[] = [];
  built.pool.events.on('close', ({ reason }) => {
    if (reason === 'recycled') ages.push(performance.now() - openedAtMs);
  });
  return { ...built, ages };
}

function mostInOneMoment(ages: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const age of ages) counts.set(age, (counts.get(age) ?? 0) + 1);
  return Math.max(...counts.values());
}

function spreadMs(ages: readonly number[]): number {
  return Math.max(...ages) - Math.min(...ages);
}

/** Draws what is spread evenly: 0, 1/20, 2/20 ... */
function drawEvenly(): void {
  let draws = 0;
  vi.spyOn(Math, 'random').mockImplementation(() => (draws++ % SIZE) / SIZE);
}

describe('idle connections that were opened in one moment', () => {
  test.each([0, SIZE])('go each at an age of its own, with minIdle = %i', async (minIdle) => {
    drawEvenly();
    const { pool, connector, ages } = await poolOfOneAge({ minIdle });
    const idle: number[] = [];
    pool.events.on('close', () => idle.push(pool.stats().idle));

    await vi.advanceTimersByTimeAsync(RECYCLE_AFTER_MS + 1_000);

    expect(ages).toHaveLength(SIZE);
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(RECYCLE_AFTER_MS - JITTER_WINDOW_MS);
    expect(Math.max(...ages)).toBeLessThanOrEqual(RECYCLE_AFTER_MS + 1);
    expect(spreadMs(ages)).toBeGreaterThan(JITTER_WINDOW_MS * 0.9);
    expect(mostInOneMoment(ages)).toBe(1);
    expect(connector.opens.calls).toBe(SIZE + minIdle);
    if (minIdle > 0) expect(Math.min(...idle)).toBe(SIZE - 1);
  });

  test.each([0, SIZE])(
    'go a few at a time where chance gave all one age, with minIdle = %i',
    async (minIdle) => {
      vi.spyOn(Math, 'random').mockReturnValue(0.5);
      const { ages } = await poolOfOneAge({ minIdle });
      await vi.advanceTimersByTimeAsync(RECYCLE_AFTER_MS + JITTER_WINDOW_MS);
      expect(ages).toHaveLength(SIZE);
      expect(mostInOneMoment(ages)).toBeLessThanOrEqual(MOST_AT_ONCE);
      expect(spreadMs(ages)).toBeGreaterThan(JITTER_WINDOW_MS * 0.4);
    },
  );

  test.each([1_000, 10_000])('spread over a tenth of recycleAfterMs = %i too', async (recycleAfterMs) => {
    drawEvenly();
    const { ages } = await poolOfOneAge({ recycleAfterMs });
    await vi.advanceTimersByTimeAsync(recycleAfterMs + 1_000);
    expect(ages).toHaveLength(SIZE);
    expect(spreadMs(ages)).toBeGreaterThan(recycleAfterMs * 0.05);
    expect(mostInOneMoment(ages)).toBeLessThanOrEqual(MOST_AT_ONCE);
  });

  test('go a few at a time after logins were refused for longer than their ages', async () => {
    drawEvenly();
    const { connector, ages } = await poolOfOneAge({ minIdle: SIZE });
    await vi.advanceTimersByTimeAsync(100_000);
    connector.opens.failure = new FakeConnectError('refused');
    connector.opened[0]?.lose();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ages).toEqual([]);

    connector.opens.recover();
    await vi.advanceTimersByTimeAsync(60_000);

    expect(ages).toHaveLength(SIZE - 1);
    expect(mostInOneMoment(ages)).toBeLessThanOrEqual(MOST_AT_ONCE);
  });
});

test('a connection that callers use all the time makes none of them wait for its successor', async () => {
  // Its age is reached between two uses.
  vi.spyOn(Math, 'random').mockReturnValue(0.95);
  const { pool, connector } = buildPool({ size: 1, maxOverflow: 1, recycleAfterMs: 10_000 });
  const idle: number[] = [];
  for (let round = 0; round < 400; round += 1) {
    const pooled = await pool.checkout();
    await vi.advanceTimersByTimeAsync(10);
    pooled.checkin();
    await vi.advanceTimersByTimeAsync(90);
    idle.push(pool.stats().idle);
  }
  expect(connector.opens.calls).toBeGreaterThan(3);
  expect(new Set(idle)).toEqual(new Set([1]));
});
