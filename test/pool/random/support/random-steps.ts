import { fc } from '../../../support/random.ts';
import { FakeConnectError } from '../../support/fake-connector.ts';
import type { RandomCallers } from './random-callers.ts';

const KINDS = ['opens', 'pings', 'resets', 'closes'] as const;
const SHARING = ['reads', 'reads', 'reads', 'others', undefined] as const;
const VERDICTS = ['outage', 'full', 'refused', 'credentials'] as const;

function pickOf<T>(choices: readonly [T, ...T[]], pick: number): T {
  return choices[pick % choices.length] ?? choices[0];
}

/** What may happen, by name. `pick` says to whom, or how. */
export const HAPPENINGS = {
  checkout: (callers: RandomCallers, pick: number) =>
    callers.checkout(`caller-${pick % 3}`, pick % 2 ? undefined : pick, pickOf(SHARING, pick)),
  crowd: (callers: RandomCallers, pick: number) => {
    for (let left = 6; left > 0; left -= 1) {
      callers.checkout(`caller-${(pick + left) % 3}`, undefined, left === pick % 6 ? undefined : 'reads');
    }
  },
  checkin: (callers: RandomCallers, pick: number) => callers.checkin(pick),
  checkinAll: (callers: RandomCallers) => callers.checkinAll(),
  abort: (callers: RandomCallers, pick: number) => callers.abort(pick),
  lose: (callers: RandomCallers, pick: number) => callers.open(pick)?.lose(),
  spoil: (callers: RandomCallers, pick: number) => callers.spoil(pick),
  stopOne: (callers: RandomCallers, pick: number) => callers.stopOne(pick),
  invalidate: ({ pool }: RandomCallers) => pool.invalidate('random'),
  supersede: (callers: RandomCallers) => callers.supersede(),
  refuseNewest: ({ connector }: RandomCallers, pick: number) => {
    connector.opensOutdated = pick % 4;
  },
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

export interface Step {
  readonly happens: keyof typeof HAPPENINGS;
  readonly pick: number;
  readonly thenPassMs: number;
}

export const anyStep: fc.Arbitrary<Step> = fc.record({
  happens: fc.oneof(
    { weight: 8, arbitrary: fc.constant('checkout' as const) },
    { weight: 3, arbitrary: fc.constant('crowd' as const) },
    { weight: 6, arbitrary: fc.constant('checkin' as const) },
    { weight: 3, arbitrary: fc.constant('checkinAll' as const) },
    { weight: 5, arbitrary: fc.constantFrom('recover' as const, 'letGo' as const) },
    { weight: 4, arbitrary: fc.constantFrom('failOpens' as const, 'fail' as const, 'hold' as const) },
    { weight: 4, arbitrary: fc.constantFrom('abort' as const, 'lose' as const, 'spoil' as const) },
    { weight: 6, arbitrary: fc.constant('stopOne' as const) },
    { weight: 1, arbitrary: fc.constantFrom('invalidate' as const, 'pause' as const) },
    { weight: 2, arbitrary: fc.constantFrom('supersede' as const, 'refuseNewest' as const) },
    { weight: 2, arbitrary: fc.constant('resume' as const) },
  ),
  pick: fc.nat({ max: 8_000 }),
  thenPassMs: fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom(0, 1) },
    { weight: 6, arbitrary: fc.constantFrom(60, 300, 700) },
    { weight: 3, arbitrary: fc.constantFrom(2_500, 6_000, 30_000) },
  ),
});

export const anyOptions = fc.record({
  size: fc.integer({ min: 1, max: 3 }),
  maxOverflow: fc.integer({ min: 0, max: 3 }),
  isShared: fc.boolean(),
  maxWaiting: fc.integer({ min: 0, max: 12 }),
  minIdle: fc.integer({ min: 0, max: 1 }),
  recycleAfterMs: fc.constantFrom(5_000, 60_000),
  idleTimeoutMs: fc.constantFrom(3_000, 60_000),
  prePing: fc.boolean(),
  order: fc.constantFrom('lifo', 'fifo'),
  maxPipelined: fc.integer({ min: 1, max: 4 }),
});
