import type { Deadline } from './deadline.ts';

interface Waiter<T, B> {
  readonly borrower: B;
  readonly takesUsed: boolean;
  readonly sinceMs: number;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  readonly leave: () => void;
}

/** How one call waits. */
export interface WaitTerms<B> {
  /** Who calls. Callers are served in turn, however many calls each has in line. */
  readonly borrower: B;
  readonly takesUsed: boolean;
  readonly deadline: Deadline;
  readonly signal: AbortSignal | undefined;
  /** The error of a call whose deadline passed in line. */
  readonly overdue: (waitedMs: number) => Error;
  /** Hears of a call that was given up: its deadline passed, or its signal was raised. */
  readonly onGivenUp: (waitedMs: number) => void;
}

/**
 * Calls in line: first come first served within a caller, round robin among callers. Each leaves it once: served,
 * overdue, aborted or rejected.
 */
export class WaiterQueue<T, B extends { readonly caller: string }> {
  /** A line for each caller that waits; the one whose turn is next comes first. Sets let any call leave at once. */
  readonly #lines = new Map<string, Set<Waiter<T, B>>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Whether the call whose turn it is takes a connection that was not reset; undefined if nobody waits. */
  get headTakesUsed(): boolean | undefined {
    for (const line of this.#lines.values()) for (const head of line) return head.takesUsed;
    return undefined;
  }

  /** How long the call that came first has waited. */
  get oldestWaitMs(): number {
    const nowMs = performance.now();
    let oldestMs = 0;
    for (const line of this.#lines.values()) {
      for (const head of line) {
        oldestMs = Math.max(oldestMs, nowMs - head.sinceMs);
        break;
      }
    }
    return oldestMs;
  }

  wait({ borrower, takesUsed, deadline, signal, overdue, onGivenUp }: WaitTerms<B>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const sinceMs = performance.now();
      const leave = () => {
        this.#remove(borrower, waiter);
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter<T, B> = { borrower, takesUsed, sinceMs, resolve, reject, leave };
      const giveUp = (reason: (waitedMs: number) => unknown) => {
        leave();
        const waitedMs = performance.now() - sinceMs;
        onGivenUp(waitedMs);
        reject(reason(waitedMs));
      };
      const onAbort = () => giveUp(() => signal?.reason);
      const timer = setTimeout(() => giveUp(overdue), deadline.remainingMs);
      signal?.addEventListener('abort', onAbort);
      this.#add(borrower, waiter);
    });
  }

  /** Serves whose turn it is. `give` gets the time it waited. False if nobody waits. */
  handOver(give: (borrower: B, waitedMs: number) => T): boolean {
    for (const [caller, line] of this.#lines) {
      for (const head of line) {
        head.leave();
        this.#toTheEnd(caller);
        head.resolve(give(head.borrower, performance.now() - head.sinceMs));
        return true;
      }
    }
    return false;
  }

  rejectAll(error: unknown): void {
    for (const line of [...this.#lines.values()]) {
      for (const waiter of [...line]) {
        waiter.leave();
        waiter.reject(error);
      }
    }
  }

  #add({ caller }: B, waiter: Waiter<T, B>): void {
    const line = this.#lines.get(caller);
    if (line === undefined) this.#lines.set(caller, new Set([waiter]));
    else line.add(waiter);
    this.#size += 1;
  }

  #remove({ caller }: B, waiter: Waiter<T, B>): void {
    const line = this.#lines.get(caller);
    if (line === undefined || !line.delete(waiter)) return;
    if (line.size === 0) this.#lines.delete(caller);
    this.#size -= 1;
  }

  /** A map keeps the order of insertion. */
  #toTheEnd(caller: string): void {
    const line = this.#lines.get(caller);
    if (line === undefined) return;
    this.#lines.delete(caller);
    this.#lines.set(caller, line);
  }
}
