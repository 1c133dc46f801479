import { assert, BrokerError, type Outcome } from '../errors.ts';
import { beforeRefusal } from './before-refusal.ts';
import type { CancelSignal } from './cancellation.ts';
import type { Deadline } from './deadline.ts';

/** Makes the error of a statement that is stopped, once its outcome is known. */
export type ToError = (outcome: Outcome) => unknown;

/** By when a statement must have ended, and who may say earlier that nobody waits for it any more. */
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

/** Interrupts, once at most, when the deadline passes or the caller hangs up, and until it is told to end. */
export class StatementTimer {
  readonly #signal: CancelSignal | undefined;
  #toError: ToError | undefined;
  #onInterrupt: ((errorFor: ToError) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor({ deadline, signal }: CallScope) {
    this.#signal = signal;
    this.#startTimer(deadline.remainingMs, 'The deadline passed');
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort);
  }

  /** It has interrupted, or was told to end. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Why it interrupted, if it did. */
  get toError(): ToError | undefined {
    return this.#toError;
  }

  /** What `work` comes to, or why it is to be stopped before that. To be asked once. */
  raceInterrupt<T>(work: Promise<T>): Promise<T | ToError> {
    assert(this.#onInterrupt === undefined, 'two works under one watch');
    // One promise for both, where a race makes one of each besides its own.
    return new Promise((resolve, reject) => {
      if (this.#toError !== undefined) resolve(this.#toError);
      this.#onInterrupt = resolve;
      work.then(resolve, reject);
    });
  }

  /** @throws {NotSentError} It is over: what was to be sent now must not be. */
  throwIfOver(): void {
    if (this.#isOver) throw new NotSentError();
  }

  interrupt(toError: ToError): void {
    if (this.#isOver) return;
    this.end();
    this.#toError = toError;
    this.#onInterrupt?.(toError);
  }

  /** In place of the deadline, or of what was allowed before: so long may pass until it is called again. */
  setStallTimeout(durationMs: number): void {
    if (this.#isOver) return;
    this.#startTimer(durationMs, `The statement sent no row for ${durationMs} ms`);
  }

  /** Until the next `allowSilence` any time may pass. */
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
    // Read now: of two signals in one the other may be raised later.
    const reason: unknown = this.#signal?.reason;
    // Who aborts cannot know what becomes of the statement.
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
 * What `work` comes to, as long as somebody waits for it. It goes on all the same.
 *
 * @throws {BrokerError} DEADLINE_EXCEEDED with this outcome. Or the signal's reason, or what `work` fails with.
 */
export async function waitWithin<T>(work: Promise<T>, watched: CallScope, outcome: Outcome): Promise<T> {
  const watch = new StatementTimer(watched);
  try {
    const first = await watch.raceInterrupt(work.then((value) => ({ value })));
    if (typeof first === 'function') throw first(outcome);
    return first.value;
  } finally {
    watch.end();
  }
}

export async function delay(durationMs: number): Promise<undefined> {
  return await new Promise((resolve) => {
    setTimeout(() => resolve(undefined), durationMs).unref();
  });
}
