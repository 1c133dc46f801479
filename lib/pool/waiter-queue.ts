import { deadlineExceeded } from './checkout-failures.ts';
import type { CheckoutOptions } from './checkout-options.ts';
import type { Borrower } from './loan.ts';

/** What a line asks of its pool. */
interface LineTerms {
  /** How long a call may wait; its own deadline applies too. */
  readonly timeoutMs: number;
  /** The error of a call that waited for so long. */
  readonly overdue: (waitedMs: number) => Error;
  /** Hears of a call that was given up: its time was over, or its signal was raised. */
  readonly onGivenUp: (waitedMs: number) => void;
}

interface Waiter<T> {
  readonly borrower: Borrower;
  readonly takesUsed: boolean;
  readonly sinceMs: number;
  readonly signal: AbortSignal | undefined;
  readonly timer: NodeJS.Timeout;
  readonly onAbort: (() => void) | undefined;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Calls in line: first come first served within a caller, round robin among callers. Each leaves it once: served,
 * overdue, aborted or rejected.
 */
export class WaiterQueue<T> {
  readonly #terms: LineTerms;
  /** A line for each caller that waits; the one whose turn is next comes first. Sets let any call leave at once. */
  readonly #lines = new Map<string, Set<Waiter<T>>>();
  #size = 0;

  constructor(terms: LineTerms) {
    this.#terms = terms;
  }

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

  wait(borrower: Borrower, { takesUsed = false, deadline, signal }: CheckoutOptions): Promise<T> {
    const sinceMs = performance.now();
    const { timeoutMs, overdue } = this.#terms;
    const isOwnFirst = deadline !== undefined && deadline.atMs < sinceMs + timeoutMs;
    return new Promise<T>((resolve, reject) => {
      const waiter: Waiter<T> = {
        borrower,
        takesUsed,
        sinceMs,
        signal,
        timer: setTimeout(
          () => this.#giveUp(waiter, isOwnFirst ? deadlineExceeded : overdue),
          isOwnFirst ? deadline.remainingMs : timeoutMs,
        ),
        onAbort: signal && (() => this.#giveUp(waiter, () => signal.reason)),
        resolve,
        reject,
      };
      if (waiter.onAbort !== undefined) signal?.addEventListener('abort', waiter.onAbort);
      this.#add(waiter);
    });
  }

  /** Serves whose turn it is. `give` gets the time it waited. False if nobody waits. */
  handOver(give: (borrower: Borrower, waitedMs: number, nowMs: number) => T): boolean {
    for (const [caller, line] of this.#lines) {
      for (const head of line) {
        this.#leave(head);
        this.#toTheEnd(caller);
        const nowMs = performance.now();
        head.resolve(give(head.borrower, nowMs - head.sinceMs, nowMs));
        return true;
      }
    }
    return false;
  }

  rejectAll(error: unknown): void {
    for (const line of [...this.#lines.values()]) {
      for (const waiter of [...line]) {
        this.#leave(waiter);
        waiter.reject(error);
      }
    }
  }

  #giveUp(waiter: Waiter<T>, reason: (waitedMs: number) => unknown): void {
    this.#leave(waiter);
    const waitedMs = performance.now() - waiter.sinceMs;
    this.#terms.onGivenUp(waitedMs);
    waiter.reject(reason(waitedMs));
  }

  #add(waiter: Waiter<T>): void {
    const { caller } = waiter.borrower;
    const line = this.#lines.get(caller);
    if (line === undefined) this.#lines.set(caller, new Set([waiter]));
    else line.add(waiter);
    this.#size += 1;
  }

  #leave(waiter: Waiter<T>): void {
    const { caller } = waiter.borrower;
    clearTimeout(waiter.timer);
    if (waiter.onAbort !== undefined) waiter.signal?.removeEventListener('abort', waiter.onAbort);
    const line = this.#lines.get(caller);
    if (line === undefined || !line.delete(waiter)) return;
    if (line.size === 0) this.#lines.delete(caller);
    this.#size -= 1;
  }

  /** A map keeps the order of insertion. */
  #toTheEnd(caller: string): void {
    const line = this.#lines.get(caller);
    if (line === undefined || this.#lines.size === 1) return;
    this.#lines.delete(caller);
    this.#lines.set(caller, line);
  }
}
