import { expect, test, vi } from 'vitest';
import { Deadline } from '../../../lib/async/deadline.ts';
import { fc, SEED } from '../../support/random.ts';
import { buildUnguardedPool, guardPools } from '../support/open-pool-guard.ts';
import { RandomCallers } from './support/random-callers.ts';
import { anyOptions, anyStep, HAPPENINGS, type Step } from './support/random-steps.ts';

guardPools();

/** How long the suite walks at random; `npm run test:long` walks further. */
const STEPS = Number(process.env.MODEL_STEPS ?? 100_000);
const RUNS_A_ROUND = 100;

let stepsTaken = 0;

async function walk(callers: RandomCallers, steps: readonly Step[]): Promise<void> {
  for (const { happens, pick, thenPassMs } of steps) {
    HAPPENINGS[happens](callers, pick);
    callers.check();
    await vi.advanceTimersByTimeAsync(thenPassMs);
    callers.check();
    stepsTaken += 1;
  }
}

const anyRun = fc.asyncProperty(
  anyOptions,
  fc.array(anyStep, { minLength: 20, maxLength: 200, size: 'max' }),
  fc.boolean(),
  fc.integer({ min: 1, max: 5_000 }),
  fc.array(anyStep, { maxLength: 10 }),
  async (options, steps, everybodyFinishes, drainTimeoutMs, stepsOfDraining) => {
    vi.clearAllTimers();
    const { pool, connector } = buildUnguardedPool(options);
    const callers = new RandomCallers(pool, connector, options);
    await walk(callers, steps);
    if (everybodyFinishes) await callers.finish();

    const draining = pool.drain(Deadline.after(drainTimeoutMs));
    await walk(callers, stepsOfDraining);
    await vi.advanceTimersByTimeAsync(drainTimeoutMs);
    await draining;
    connector.recover();
    await vi.advanceTimersByTimeAsync(10_000);
    callers.check();
    expect(callers.pending).toBe(0);
    expect(connector.counted).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  },
);

test(
  '[4] [30] [111] whatever happens: the cap holds, nobody shares or overtakes, all settles, and nothing stays open',
  async () => {
    console.log(`the pool at random: ${STEPS} steps; TEST_SEED=${SEED} repeats them`);
    // In rounds, because fast-check keeps all of its runs in memory.
    for (let round = 0; stepsTaken < STEPS; round += 1) {
      await fc.assert(anyRun, { numRuns: RUNS_A_ROUND, seed: SEED + round });
    }
  },
  60_000 + STEPS,
);
