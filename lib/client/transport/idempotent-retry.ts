import { randomUUID } from 'node:crypto';
import { BrokerError, ERROR_TRAITS } from '../../errors.ts';
import type { CallBudget } from './call-budget.ts';
import { retryWhile } from './retry.ts';

/**
 * Makes a key for a write, and retries it with that key while its reply is lost or not ready.
 *
 * @throws {BrokerError} the last failure. After a lost reply its outcome is `unknown`: the first request may still
 *   arrive.
 */
export async function withIdempotencyKey<T>(
  budget: CallBudget,
  send: (idempotencyKey: string) => Promise<T>,
): Promise<T> {
  const key = randomUUID();
  let wasLost = false;
  return await retryWhile(isUncertain, budget, async () => {
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

/** It is unknown whether the work was done. A retry with the same key finds out. */
function isUncertain(failure: unknown): boolean {
  if (!(failure instanceof BrokerError)) return false;
  const { code, outcome } = failure;
  return code === 'IDEMPOTENCY_IN_PROGRESS' || (outcome === 'unknown' && ERROR_TRAITS[code].transient);
}
