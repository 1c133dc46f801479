import { EarliestTimer } from '../../async/earliest-timer.ts';
import type { Connection } from '../connection.ts';
import type { PoolOptions } from '../pool-options.ts';
import { RECYCLE_JITTER, type Slot } from './slot.ts';
import type { Slots } from './slots.ts';

/** However many are due: each may have to be logged in anew. */
const MOST_AT_ONCE = 2;
/** What was used so lately will be asked for soon, and then serves while its successor logs in. */
const LONGEST_IN_USE_MS = 1_000;

/**
 * Closes idle connections, each as it reaches its own age. Where many are due at once, because of chance, a busy process
 * or refused logins, it closes a few at a time, so that the whole pool takes as long as its jitter.
 */
export class Retirement<C extends Connection> {
  readonly #slots: Slots<C>;
  readonly #inUseMs: number;
  readonly #pauseMs: number;
  readonly #timer = new EarliestTimer((nowMs) => this.#closeDue(nowMs));

  constructor(slots: Slots<C>, { recycleAfterMs, size, maxOverflow }: PoolOptions) {
    this.#slots = slots;
    const jitterMs = recycleAfterMs * RECYCLE_JITTER;
    this.#inUseMs = Math.min(LONGEST_IN_USE_MS, jitterMs / 2);
    this.#pauseMs = Math.ceil((jitterMs * MOST_AT_ONCE) / (size + maxOverflow));
  }

  /** This connection is idle. */
  heed(slot: Slot<C>): void {
    this.#timer.setFor(this.#dueAtMs(slot));
  }

  /** Some idle connections may be overdue: while logins were refused, none was closed. */
  tryAgain(): void {
    this.#timer.setFor(performance.now());
  }

  stop(): void {
    this.#timer.stop();
  }

  /** One millisecond after the last one at which it may be kept. */
  #dueAtMs({ retireAtMs, lastUsedAtMs }: Slot<C>): number {
    return Math.max(retireAtMs, lastUsedAtMs + this.#inUseMs) + 1;
  }

  /** Tells when the next ones are due. */
  #closeDue(nowMs: number): number {
    let nextMs = Number.POSITIVE_INFINITY;
    let closed = 0;
    for (const slot of this.#slots.idle) {
      const dueAtMs = this.#dueAtMs(slot);
      if (dueAtMs > nowMs) nextMs = Math.min(nextMs, dueAtMs);
      else if (slot.state === 'idle' && this.#slots.staleReason(slot, false, nowMs) === 'recycled') {
        if (closed === MOST_AT_ONCE) return nowMs + this.#pauseMs;
        closed += 1;
        void this.#slots.close(slot, 'recycled');
      }
    }
    return nextMs;
  }
}
