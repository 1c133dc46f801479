import type { Deadline } from './deadline.ts';

interface Waiter<T> {
  readonly sinceMs: number;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  readonly leave: () => void;
}

/** How one caller waits. */
export interface WaitTerms {
  readonly deadline: Deadline;
  readonly signal: AbortSignal | undefined;
  /** The error of a caller whose deadline passed in line. */
  readonly overdue: (waitedMs: number) => Error;
  /** Hears of a caller that gave up: its deadline passed, or its signal was raised. */
  readonly onGivenUp: (waitedMs: number) => void;
}

/** Callers in line, first come first served. Each leaves it once: served, overdue, aborted or rejected. */
export class WaiterQueue<T> {
  // A set keeps the order of arrival and lets any of them leave at once.
  readonly #waiters = new Set<Waiter<T>>();

  get size(): number {
    return this.#waiters.size;
  }

  /** How long the caller at the head has waited. */
  get oldestWaitMs(): number {
    for (const head of this.#waiters) return performance.now() - head.sinceMs;
    return 0;
  }

  wait({ deadline, signal, overdue, onGivenUp }: WaitTerms): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const sinceMs = performance.now();
      const leave = () => {
        this.#waiters.delete(waiter);
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter<T> = { sinceMs, resolve, reject, leave };
      const giveUp = (reason: (waitedMs: number) => unknown) => {
        leave();
        const waitedMs = performance.now() - sinceMs;
        onGivenUp(waitedMs);
        reject(reason(waitedMs));
      };
      const onAbort = () => giveUp(() => signal?.reason);
      const timer = setTimeout(() => giveUp(overdue), deadline.remainingMs);
      signal?.addEventListener('abort', onAbort);
      this.#waiters.add(waiter);
    });
  }

  /** Serves the head of the line. `give` gets the time it waited. False if nobody waits. */
  handOver(give: (waitedMs: number) => T): boolean {
    for (const head of this.#waiters) {
      head.leave();
      head.resolve(give(performance.now() - head.sinceMs));
      return true;
    }
    return false;
  }

  rejectAll(error: unknown): void {
    for (const waiter of [...this.#waiters]) {
      waiter.leave();
      waiter.reject(error);
    }
  }
}
