import { type CallScope, waitWithin } from '../../async/interruptible.ts';
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

/**
 * Lets calls with the same key run one at a time. The database would see to that too, but there each of them holds a
 * connection while it waits.
 */
export class KeyMutex {
  readonly #tails = new Map<string, Promise<void>>();

  /** @throws {BrokerError} IDEMPOTENCY_IN_PROGRESS: its turn did not come. Or the signal's reason. */
  async take<T>(id: string, watched: CallScope, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(id);
    const turn = before === undefined ? work() : this.#after(before, watched, work);
    const tail: Promise<void> = Promise.allSettled([before, turn]).then(() => {
      if (this.#tails.get(id) === tail) this.#tails.delete(id);
    });
    this.#tails.set(id, tail);
    return await turn;
  }

  async #after<T>(before: Promise<void>, watched: CallScope, work: () => Promise<T>): Promise<T> {
    await waitWithin(before, watched, 'not_applied').catch((error: unknown) => {
      throw asInProgress(error);
    });
    return await work();
  }
}
