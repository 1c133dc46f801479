import { randomUUID } from 'node:crypto';
import { BrokerError, type ErrorCode } from '../errors.ts';
import type { CallBudget } from './call-budget.ts';
import { tryAgainWhile } from './try-again.ts';

/** Failures after which nobody knows whether the work was done: asked under the same key, the broker knows. */
const LOST_ANSWERS: ReadonlySet<ErrorCode> = new Set([
  'CONNECTION_LOST',
  'BROKER_UNREACHABLE',
  'DEADLINE_EXCEEDED',
]);

/** Makes a key for a write, and sends it again under that key while its answer is lost or not yet there. */
export async function underOneKey<T>(
  budget: CallBudget,
  send: (idempotencyKey: string) => Promise<T>,
): Promise<T> {
  const key = randomUUID();
  return await tryAgainWhile(isUndecided, budget, async () => await send(key));
}

function isUndecided(failure: unknown): boolean {
  if (!(failure instanceof BrokerError)) return false;
  const { code, outcome } = failure;
  return code === 'IDEMPOTENCY_IN_PROGRESS' || (LOST_ANSWERS.has(code) && outcome === 'unknown');
}
