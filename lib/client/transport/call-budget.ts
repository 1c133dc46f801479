import { setTimeout as sleep } from 'node:timers/promises';
import { afterNextPoll } from '../../async/after-next-poll.ts';
import { BrokerError } from '../../errors.ts';
import { TRANSACTION_VERDICT_WAIT_MS } from '../../protocol/verdict-times.ts';

/** Aborts when one of two signals does. */
export function anySignal(
  one: AbortSignal | undefined,
  other: AbortSignal | undefined,
): AbortSignal | undefined {
  return one && other ? AbortSignal.any([one, other]) : (one ?? other);
}

interface Limit {
  readonly afterMs: number;
  readonly error: () => Error;
}

/** The total time of one call, and the signal that ends it sooner. */
export class CallBudget {
  /** The caller's signal, which ends the call sooner. */
  readonly signal: AbortSignal | undefined;
  readonly #timeoutMs: number;
  readonly #endsAtMs: number;

  constructor(timeoutMs: number, signal: AbortSignal | undefined) {
    this.#timeoutMs = timeoutMs;
    this.#endsAtMs = performance.now() + timeoutMs;
    this.signal = signal;
  }

  /** Whole milliseconds; 0 when the time is up. */
  get remainingMs(): number {
    return Math.max(0, Math.ceil(this.#endsAtMs - performance.now()));
  }

  /** Settles as `work` does, unless the caller aborts or the limit (by default the budget's end) passes first. */
  async race<T>(work: Promise<T>, limit: Limit = this.#end()): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      const { signal } = this;
      const abort = () => reject(signal?.reason);
      // A reply that arrived while this process was busy is not late.
      const timer = setTimeout(() => afterNextPoll(() => reject(limit.error())), limit.afterMs);
      signal?.addEventListener('abort', abort, { once: true });
      if (signal?.aborted) abort();
      void work.then(resolve, reject).finally(() => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      });
    });
  }

  /** Bounds a transaction's callback, which may wait for other things than its calls. */
  async bound<T>(callback: Promise<T>): Promise<T> {
    return await this.race(callback, {
      afterMs: this.remainingMs + TRANSACTION_VERDICT_WAIT_MS,
      error: () => this.exceeded('not_applied', "The transaction's callback did not end"),
    });
  }

  async pause(pauseMs: number): Promise<void> {
    await this.race(sleep(pauseMs, undefined, { ref: false }));
  }

  exceeded(
    outcome: 'not_applied' | 'unknown',
    what = outcome === 'unknown' ? 'The broker did not answer' : 'The request could not be sent',
  ): BrokerError {
    return new BrokerError('DEADLINE_EXCEEDED', `${what} within ${this.#timeoutMs} ms`, { outcome });
  }

  #end(): Limit {
    return { afterMs: this.remainingMs, error: () => this.exceeded('not_applied') };
  }
}
