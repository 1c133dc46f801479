import fc from 'fast-check';

/**
 * What random tests begin with: always the same by default, so that a failure is of the change that is tested.
 * TEST_SEED names another one, or is `random`. A failure prints the seed.
 */
export const SEED =
  process.env.TEST_SEED === 'random' ? Date.now() % 2 ** 31 : Number(process.env.TEST_SEED ?? 1);

fc.configureGlobal({ seed: SEED });

export { fc };
