import { BrokerError, type ErrorCode } from '../../errors.ts';

/** What waiting for another call with the same key can fail with. */
const FAILURES_OF_WAITING: ReadonlySet<ErrorCode> = new Set([
  'DEADLOCK',
  'LOCK_TIMEOUT',
  'DEADLINE_EXCEEDED',
]);

/** The same failure as callers are told of it. What is none of waiting stays as it is. */
export function asInProgress(error: unknown): unknown {
  if (!(error instanceof BrokerError) || !FAILURES_OF_WAITING.has(error.code)) return error;
  return inProgress(error);
}

export function inProgress(cause?: unknown): BrokerError {
  return new BrokerError('IDEMPOTENCY_IN_PROGRESS', 'A call with this idempotency key is still running', {
    cause,
  });
}
