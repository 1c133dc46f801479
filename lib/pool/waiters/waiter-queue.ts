import type { CancelSignal } from '../../async/cancellation.ts';
import { EarliestTimer } from '../../async/earliest-timer.ts';
import type { CheckoutOptions, Holder } from '../checkout.ts';
import { deadlineExceeded } from '../checkout-errors.ts';
import type { ConnectionShares } from './connection-shares.ts';
import { FairQueue, type Queued } from './fair-queue.ts';

/** What a line asks of its pool. */
interface LineTerms {
  /** How long a call may wait; its own deadline applies too. */
  readonly timeoutMs: number;
  /** The error of a call that waited for so long. */
  readonly overdue: (waitedMs: number, caller: string) => Error;
  /** Hears of a call that was given up: its time was over, or its signal was raised. */
  readonly onGivenUp: (waitedMs: number, error: unknown) => void;
  /** Hears of a call that was rejected. */
  readonly onRejected?: (waitedMs: number, error: unknown) => void;
}

interface Waiter<T> extends Queued<Waiter<T>> {
  readonly takesUsed: boolean;
  readonly sharesAs: string | undefined;
  readonly sinceMs: number;
  readonly dueAtMs: number;
  /** Its own deadline comes before the line's. */
  readonly isOwnDeadline: boolean;
  readonly signal: CancelSignal | undefined;
  onAbort: (() => void) | undefined;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

const NONE: readonly never[] = [];

/** Calls in a fair line. Each leaves it once: served, overdue, aborted or rejected. */
export class WaiterQueue<T> {
  readonly #terms: LineTerms;
  readonly #queue: FairQueue<Waiter<T>>;
  readonly #timer = new EarliestTimer((nowMs) => this.#giveUpOverdue(nowMs));
  #newestSinceMs = 0;

  constructor(shares: ConnectionShares, terms: LineTerms) {
    this.#terms = terms;
    this.#queue = new FairQueue(shares);
  }

  get size(): number {
    return this.#queue.size;
  }

  /** Somebody waits who may have one more connection. */
  get isAnyServable(): boolean {
    return this.#queue.head !== undefined;
  }

  /** Whether the call whose turn it is takes a connection that was not reset; undefined if nobody can be served. */
  get headTakesUsed(): boolean | undefined {
    return this.#queue.head?.takesUsed;
  }

  /** When the call whose turn it is joined; undefined if nobody waits. */
  get headSinceMs(): number | undefined {
    return this.#queue.head?.sinceMs;
  }

  /** When the newest call joined. */
  get newestSinceMs(): number {
    return this.#newestSinceMs;
  }

  /** How long the call that came first has waited. */
  get oldestWaitMs(): number {
    const nowMs = performance.now();
    let oldestMs = 0;
    for (const { sinceMs } of this.#queue) oldestMs = Math.max(oldestMs, nowMs - sinceMs);
    return oldestMs;
  }

  wait(holder: Holder, options: CheckoutOptions): Promise<T> {
    const { takesUsed = false, sharesAs, isRepeat = false, deadline, signal } = options;
    const sinceMs = performance.now();
    this.#newestSinceMs = sinceMs;
    const lineDueAtMs = sinceMs + this.#terms.timeoutMs;
    const isOwnDeadline = deadline !== undefined && deadline.atMs < lineDueAtMs;
    return new Promise<T>((resolve, reject) => {
      const waiter: Waiter<T> = {
        next: undefined,
        previous: undefined,
        isLinked: false,
        holder,
        takesUsed,
        sharesAs,
        isRepeat,
        sinceMs,
        dueAtMs: isOwnDeadline ? deadline.atMs : lineDueAtMs,
        isOwnDeadline,
        signal,
        onAbort: undefined,
        resolve,
        reject,
      };
      if (signal !== undefined) this.#heed(signal, waiter);
      if (this.#queue.size === 0) this.#timer.keepProcessAlive(true);
      this.#queue.push(waiter);
      this.#timer.setFor(waiter.dueAtMs);
    });
  }

  /**
   * Takes out the call whose turn it is, to be served, and those whose turns come next as long as they share as it does:
   * at most `most`, and as many as come to each of so many connections. Where these are many, calls run at the same time
   * rather than behind each other. Empty if nobody can be served.
   */
  nextGroup(connections: number, most: number): readonly Waiter<T>[] {
    const room = Math.min(most, Math.ceil(this.#queue.size / connections));
    const first = this.#next();
    if (first === undefined) return NONE;
    const group = [first];
    const { sharesAs } = first;
    while (sharesAs !== undefined && group.length < room && this.#queue.head?.sharesAs === sharesAs) {
      const next = this.#next();
      if (next !== undefined) group.push(next);
    }
    return group;
  }

  /**
   * Makes room for a call of this caller: the newest call of the caller with the most in line is rejected. False if
   * that would make the line no fairer.
   */
  makeRoomFor(caller: string, error: () => unknown): boolean {
    const waiter = this.#queue.newestToSpareFor(caller);
    if (waiter === undefined) return false;
    this.#reject(waiter, error());
    return true;
  }

  rejectAll(error: unknown): void {
    for (const waiter of [...this.#queue]) this.#reject(waiter, error);
  }

  /** Once nobody comes any more. */
  stop(): void {
    this.#timer.stop();
  }

  #heed(signal: CancelSignal, waiter: Waiter<T>): void {
    waiter.onAbort = () => this.#giveUp(waiter, () => signal.reason);
    signal.addEventListener('abort', waiter.onAbort);
  }

  /** Tells when the next one will be overdue. */
  #giveUpOverdue(nowMs: number): number {
    const overdue: Waiter<T>[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const waiter of this.#queue) {
      if (waiter.dueAtMs <= nowMs) overdue.push(waiter);
      else nextMs = Math.min(nextMs, waiter.dueAtMs);
    }
    for (const waiter of overdue) {
      this.#giveUp(waiter, waiter.isOwnDeadline ? deadlineExceeded : this.#terms.overdue);
    }
    return nextMs;
  }

  #giveUp(waiter: Waiter<T>, reason: (waitedMs: number, caller: string) => unknown): void {
    if (!this.#queue.remove(waiter)) return;
    this.#hasLeft(waiter);
    const waitedMs = performance.now() - waiter.sinceMs;
    const error = reason(waitedMs, waiter.holder.caller);
    this.#terms.onGivenUp(waitedMs, error);
    waiter.reject(error);
  }

  #reject(waiter: Waiter<T>, error: unknown): void {
    if (!this.#queue.remove(waiter)) return;
    this.#hasLeft(waiter);
    this.#terms.onRejected?.(performance.now() - waiter.sinceMs, error);
    waiter.reject(error);
  }

  #next(): Waiter<T> | undefined {
    const head = this.#queue.shift();
    if (head !== undefined) this.#hasLeft(head);
    return head;
  }

  #hasLeft({ signal, onAbort }: Waiter<T>): void {
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    if (this.#queue.size === 0) this.#timer.keepProcessAlive(false);
  }
}
