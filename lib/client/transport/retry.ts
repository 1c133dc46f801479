import type { CallBudget } from './call-budget.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Tries anew while `isWorthwhile` says so of the failure and the budget lasts, after jittered, growing pauses.
 *
 * @throws the last failure; aborted in a pause, the signal's reason.
 */
export async function tryAgainWhile<T>(
  isWorthwhile: (failure: unknown) => boolean,
  budget: CallBudget,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let boundMs = FIRST_PAUSE_MS; ; boundMs = Math.min(2 * boundMs, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (failure) {
      const pauseMs = boundMs * (0.5 + Math.random() / 2);
      if (!isWorthwhile(failure) || pauseMs >= budget.remainingMs) throw failure;
      await budget.pause(pauseMs);
    }
  }
}
