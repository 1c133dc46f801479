import { backOffMs } from '../../async/back-off.ts';
import type { CallBudget } from './call-budget.ts';

const PAUSE = { firstMs: 50, maxMs: 1_000 };

/**
 * Retries while `isWorthwhile(failure)` and the budget lasts, with back-off.
 *
 * @throws the last failure; aborted in a pause, the signal's reason.
 */
export async function retryWhile<T>(
  isWorthwhile: (failure: unknown) => boolean,
  budget: CallBudget,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (failure) {
      const pauseMs = backOffMs(PAUSE, failures);
      if (!isWorthwhile(failure) || pauseMs >= budget.remainingMs) throw failure;
      await budget.pause(pauseMs);
    }
  }
}
