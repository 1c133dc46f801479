import { assert, BrokerError, type Outcome } from '../errors.ts';
import { beforeRefusal } from './before-refusal.ts';
import type { CancelSignal } from './cancellation.ts';
import type { Deadline } from './deadline.ts';

/** Makes the error of a statement that is stopped, once its outcome is known. */
export type ErrorFor = (outcome: Outcome) => unknown;

/** The deadline of a call, and a signal that cancels it earlier. */
export interface CallScope {
  readonly deadline: Deadline;
  readonly signal: CancelSignal | undefined;
}

/** A statement was stopped before it was sent. */
export class NotSentError extends Error {
  constructor() {
    super('The statement was stopped before it was sent');
    this.name = 'NotSentError';
  }
}

/** Interrupts a statement, at most once, when its deadline passes or its signal is canceled. `end` stops it. */
export class StatementTimer {
  readonly #signal: CancelSignal | undefined;
  #errorFor: ErrorFor | undefined;
  #onInterrupt: ((errorFor: ErrorFor) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor({ deadline, signal }: CallScope) {
    this.#signal = signal;
    this.#startTimer(deadline.remainingMs, 'The deadline passed');
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort);
  }

  /** It has interrupted, or `end` was called. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Why it interrupted, if it did. */
  get errorFor(): ErrorFor | undefined {
    return this.#errorFor;
  }

  /** Resolves with the result of `work`, or with the reason of an interrupt that comes first. Call it once. */
  raceInterrupt<T>(work: Promise<T>): Promise<T | ErrorFor> {
    assert(this.#onInterrupt === undefined, 'one timer for two statements');
    // One promise. Promise.race would make two more.
    return new Promise((resolve, reject) => {
      if (this.#errorFor !== undefined) resolve(this.#errorFor);
      this.#onInterrupt = resolve;
      work.then(resolve, reject);
    });
  }

  /** @throws {NotSentError} if it is over: the statement must not be sent. */
  throwIfOver(): void {
    if (this.#isOver) throw new NotSentError();
  }

  interrupt(errorFor: ErrorFor): void {
    if (this.#isOver) return;
    this.end();
    this.#errorFor = errorFor;
    this.#onInterrupt?.(errorFor);
  }

  /** Replaces the deadline, or the last stall timeout: interrupts unless it is called again within this time. */
  setStallTimeout(durationMs: number): void {
    if (this.#isOver) return;
    this.#startTimer(durationMs, `The statement sent no row for ${durationMs} ms`);
  }

  /** Stops the clock until the next `setStallTimeout`. */
  stopClock(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  end(): void {
    this.#isOver = true;
    this.stopClock();
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    // Read now: the other of two combined signals may be canceled later.
    const reason: unknown = this.#signal?.reason;
    // The reason was made before the statement's outcome was known.
    this.interrupt((outcome) => (reason instanceof BrokerError ? reason.with({ outcome }) : reason));
  };

  #startTimer(durationMs: number, message: string): void {
    this.stopClock();
    const dueAtMs = performance.now() + durationMs;
    const timer = setTimeout(() => {
      beforeRefusal(dueAtMs, () => {
        if (this.#timer !== timer) return;
        this.interrupt((outcome) => new BrokerError('DEADLINE_EXCEEDED', message, { outcome }));
      });
    }, durationMs);
    this.#timer = timer;
  }
}

/**
 * Waits for `work` within the scope. `work` itself goes on.
 *
 * @throws {BrokerError} DEADLINE_EXCEEDED with this outcome. Or the signal's reason, or what `work` fails with.
 */
export async function waitWithin<T>(work: Promise<T>, scope: CallScope, outcome: Outcome): Promise<T> {
  const timer = new StatementTimer(scope);
  try {
    const first = await timer.raceInterrupt(work.then((value) => ({ value })));
    if (typeof first === 'function') throw first(outcome);
    return first.value;
  } finally {
    timer.end();
  }
}

export async function delay(durationMs: number): Promise<undefined> {
  return await new Promise((resolve) => {
    setTimeout(() => resolve(undefined), durationMs).unref();
  });
}
