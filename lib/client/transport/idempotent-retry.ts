import { randomUUID } from 'node:crypto';
import { BrokerError, ERROR_TRAITS } from '../../errors.ts';
import type { CallBudget } from './call-budget.ts';
import { tryAgainWhile } from './retry.ts';

/**
 * Makes a key for a write, and sends it again under that key while its answer is lost or not yet there.
 *
 * @throws {BrokerError} the last failure. Once an answer was lost no failure proves that nothing was done: what was
 *   sent first may still be on its way.
 */
export async function underOneKey<T>(
  budget: CallBudget,
  send: (idempotencyKey: string) => Promise<T>,
): Promise<T> {
  const key = randomUUID();
  let wasLost = false;
  return await tryAgainWhile(isUndecided, budget, async () => {
    try {
      return await send(key);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      const failure = wasLost ? error.with({ outcome: 'unknown' }) : error;
      wasLost ||= failure.outcome === 'unknown';
      throw failure;
    }
  });
}

/** Nobody knows whether the work was done: asked under the same key, the broker knows. */
function isUndecided(failure: unknown): boolean {
  if (!(failure instanceof BrokerError)) return false;
  const { code, outcome } = failure;
  return code === 'IDEMPOTENCY_IN_PROGRESS' || (outcome === 'unknown' && ERROR_TRAITS[code].transient);
}
