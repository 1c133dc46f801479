import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { Deadline } from '../../lib/pool/deadline.ts';
import { FakeConnectError } from '../support/fake-connector.ts';
import { buildUnguardedPool, guardPools } from '../support/open-pool-guard.ts';
import { RandomCallers } from './random-callers.ts';

guardPools();

/** How long the suite walks at random; `npm run test:long` walks further. */
const STEPS = Number(process.env.MODEL_STEPS ?? 100_000);
/** A failure names the seed that repeats it. */
const SEED = Number(process.env.MODEL_SEED ?? Date.now() % 2 ** 31);
const RUNS_A_ROUND = 100;

const KINDS = ['opens', 'pings', 'resets', 'closes'] as const;
const VERDICTS = ['outage', 'full', 'refused'] as const;

function pickOf<T>(choices: readonly [T, ...T[]], pick: number): T {
  return choices[pick % choices.length] ?? choices[0];
}

/** What may happen, by name. `pick` says to whom, or how. */
const HAPPENINGS = {
  checkout: (callers: RandomCallers, pick: number) =>
    callers.checkout(`caller-${pick % 3}`, pick % 2 ? undefined : pick),
  checkin: (callers: RandomCallers, pick: number) => callers.checkin(pick),
  abort: (callers: RandomCallers, pick: number) => callers.abort(pick),
  lose: (callers: RandomCallers, pick: number) => callers.open(pick)?.lose(),
  spoil: (callers: RandomCallers, pick: number) => callers.spoil(pick),
  invalidate: ({ pool }: RandomCallers) => pool.invalidate('random'),
  pause: ({ pool }: RandomCallers) => pool.pause(),
  resume: ({ pool }: RandomCallers) => pool.resume(),
  failOpens: ({ connector }: RandomCallers, pick: number) => {
    connector.opens.failure = new FakeConnectError(pickOf(VERDICTS, pick));
  },
  fail: ({ connector }: RandomCallers, pick: number) => {
    connector[pickOf(KINDS, pick)].failure = new FakeConnectError('refused');
  },
  hold: ({ connector }: RandomCallers, pick: number) => connector[pickOf(KINDS, pick)].hold(),
  letGo: ({ connector }: RandomCallers, pick: number) => connector[pickOf(KINDS, pick)].letGo(),
  recover: ({ connector }: RandomCallers, pick: number) => connector[pickOf(KINDS, pick)].recover(),
};

interface Step {
  readonly happens: keyof typeof HAPPENINGS;
  readonly pick: number;
  readonly thenPassMs: number;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  happens: fc.oneof(
    { weight: 8, arbitrary: fc.constant('checkout' as const) },
    { weight: 6, arbitrary: fc.constant('checkin' as const) },
    { weight: 4, arbitrary: fc.constantFrom('recover' as const, 'letGo' as const) },
    { weight: 4, arbitrary: fc.constantFrom('failOpens' as const, 'fail' as const, 'hold' as const) },
    { weight: 4, arbitrary: fc.constantFrom('abort' as const, 'lose' as const, 'spoil' as const) },
    { weight: 1, arbitrary: fc.constantFrom('invalidate' as const, 'pause' as const) },
    { weight: 2, arbitrary: fc.constant('resume' as const) },
  ),
  pick: fc.nat({ max: 8_000 }),
  thenPassMs: fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom(0, 1) },
    { weight: 6, arbitrary: fc.constantFrom(60, 300, 700) },
    { weight: 3, arbitrary: fc.constantFrom(2_500, 6_000, 30_000) },
  ),
});

const anyOptions = fc.record({
  size: fc.integer({ min: 1, max: 3 }),
  maxOverflow: fc.integer({ min: 0, max: 2 }),
  maxWaiting: fc.integer({ min: 0, max: 6 }),
  minIdle: fc.integer({ min: 0, max: 1 }),
  recycleAfterMs: fc.constantFrom(5_000, 60_000),
  idleTimeoutMs: fc.constantFrom(3_000, 60_000),
  prePing: fc.boolean(),
  order: fc.constantFrom('lifo', 'fifo'),
});

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
    console.log(`the pool at random: ${STEPS} steps; MODEL_SEED=${SEED} repeats them`);
    // In rounds, because fast-check keeps all of its runs in memory.
    for (let round = 0; stepsTaken < STEPS; round += 1) {
      await fc.assert(anyRun, { numRuns: RUNS_A_ROUND, seed: SEED + round });
    }
  },
  60_000 + STEPS,
);
