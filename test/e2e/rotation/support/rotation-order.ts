import { fc } from '../../../support/random.ts';

/** What happens in a rotation. Each waits so long before it happens. */
interface RotationStep {
  readonly happens: 'password' | 'secret' | 'notice' | 'trouble' | 'recovery' | 'burst' | 'stream';
  readonly afterMs: number;
}

/**
 * One rotation: which credentials follow, and what happens in which order.
 *
 * - `update`: the secret gets a new value by PutSecretValue or UpdateSecret, at any time;
 * - `pending`: the value waits in AWSPENDING from the start, and `secret` puts it in force;
 * - `turns`: the other one of two users gets a new password, and the one before stays valid.
 */
export interface RotationOrder {
  readonly form: 'update' | 'pending' | 'turns';
  readonly steps: readonly RotationStep[];
}

export interface RotatedPool {
  readonly size: number;
  readonly maxOverflow: number;
  readonly order: 'lifo' | 'fifo';
  readonly minRefreshIntervalMs: number;
  /** Each chunk to or from the server takes up to so long. */
  readonly slowByMs: number;
}

const anyStep = (happens: RotationStep['happens']): fc.Arbitrary<RotationStep> =>
  fc.record({
    happens: fc.constant(happens),
    afterMs: fc.constantFrom(0, 0, 0, 20, 20, 150, 150, 400, 1_100),
  });

/** Password and secret change once each, in any order, with whatever else before, between and after. */
const anySteps: fc.Arbitrary<readonly RotationStep[]> = fc
  .tuple(
    anyStep('password'),
    anyStep('secret'),
    fc.array(fc.constantFrom('notice' as const, 'burst' as const, 'stream' as const).chain(anyStep), {
      maxLength: 3,
    }),
    fc.option(fc.tuple(anyStep('trouble'), anyStep('recovery')), { freq: 4 }),
  )
  .chain(([password, secret, others, trouble]) =>
    fc
      .shuffledSubarray([password, secret, ...others, ...(trouble ?? [])], {
        minLength: 2 + others.length + (trouble?.length ?? 0),
      })
      .map((steps) => [...steps]),
  );

export const anyOrder: fc.Arbitrary<RotationOrder> = fc.record({
  form: fc.constantFrom('update', 'update', 'pending', 'turns'),
  steps: anySteps,
});

export const anyRotatedPool: fc.Arbitrary<RotatedPool> = fc.record({
  size: fc.constantFrom(1, 2, 3, 8),
  maxOverflow: fc.constantFrom(0, 1, 6),
  order: fc.constantFrom('lifo', 'fifo'),
  minRefreshIntervalMs: fc.constantFrom(1_000, 200),
  slowByMs: fc.constantFrom(0, 0, 25),
});
