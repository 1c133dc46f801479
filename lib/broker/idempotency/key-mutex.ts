import { type CallScope, waitWithin } from '../../async/interruptible.ts';
import { BrokerError, type ErrorCode } from '../../errors.ts';

/** What waiting for another call with the same key can fail with. */
const WAIT_FAILURES: ReadonlySet<ErrorCode> = new Set(['DEADLOCK', 'LOCK_TIMEOUT', 'DEADLINE_EXCEEDED']);

/** Turns a failure of waiting into IDEMPOTENCY_IN_PROGRESS; returns any other as it is. */
export function asInProgress(error: unknown): unknown {
  if (!(error instanceof BrokerError) || !WAIT_FAILURES.has(error.code)) return error;
  return inProgress(error);
}

export function inProgress(cause?: unknown): BrokerError {
  return new BrokerError('IDEMPOTENCY_IN_PROGRESS', 'A call with this idempotency key is still running', {
    cause,
  });
}

/**
 * Lets calls with the same key run one at a time. Row locks in the database ensure that too, but there each waiting
 * call holds a connection.
 */
export class KeyMutex {
  readonly #tails = new Map<string, Promise<void>>();

  /** @throws {BrokerError} IDEMPOTENCY_IN_PROGRESS: the deadline came first. Or the signal's reason. */
  async runExclusive<T>(id: string, scope: CallScope, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(id);
    const turn = before === undefined ? work() : this.#after(before, scope, work);
    const tail: Promise<void> = Promise.allSettled([before, turn]).then(() => {
      if (this.#tails.get(id) === tail) this.#tails.delete(id);
    });
    this.#tails.set(id, tail);
    return await turn;
  }

  async #after<T>(before: Promise<void>, scope: CallScope, work: () => Promise<T>): Promise<T> {
    await waitWithin(before, scope, 'not_applied').catch((error: unknown) => {
      throw asInProgress(error);
    });
    return await work();
  }
}
