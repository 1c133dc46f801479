import { BrokerError } from '../../errors.ts';
import { ObservedPromise } from './observed-promise.ts';

/**
 * Runs the calls of one callback one at a time, in order: requests on several connections could overtake each other.
 */
export class CallQueue {
  /** `finishing`: takes no further calls. `over`: queued calls are not sent any more. */
  #state: 'open' | 'finishing' | 'over' = 'open';
  #last: Promise<unknown> = Promise.resolve();
  readonly #unfinished = new Set<Promise<unknown>>();
  readonly #failures: { readonly given: ObservedPromise<unknown>; readonly error: unknown }[] = [];
  /** A call that runs exclusively, and how to end it early. */
  #exclusiveCall: ExclusiveCall | undefined;

  /** Not async: the caller must get the {@link ObservedPromise} itself. */
  run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#state !== 'open') return Promise.reject(callbackEnded());
    const refusal = this.#refusal();
    const turn = refusal === undefined ? this.#last.then(() => this.#begin(call)) : Promise.reject(refusal);
    const given = ObservedPromise.of(turn);
    this.#unfinished.add(turn);
    const ended = turn
      .catch((error: unknown) => void this.#failures.push({ given, error }))
      .finally(() => this.#unfinished.delete(turn));
    if (refusal === undefined) this.#last = ended;
    return given;
  }

  /** Refuses all other calls until this one is done: queued ones could deadlock with it. */
  runExclusive<T>(exclusiveCall: ExclusiveCall, call: () => Promise<T>): Promise<T> {
    const turn = this.run(async () => {
      try {
        return await call();
      } finally {
        this.#exclusiveCall = undefined;
      }
    });
    this.#exclusiveCall ??= exclusiveCall;
    return turn;
  }

  /** Like `runExclusive`, from its turn until `release`. The signal is aborted if the queue ends before that. */
  async hold(name: string): Promise<Hold> {
    const controller = new AbortController();
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const cancel = () => {
      controller.abort(callbackEnded());
      end();
    };
    return await new Promise((resolve, reject) => {
      const held = this.runExclusive({ name, cancel }, async () => {
        const release = async () => {
          end();
          await held;
        };
        resolve({ signal: controller.signal, release });
        await ended;
      });
      held.catch(reject);
    });
  }

  /**
   * Runs a callback that makes its calls here, and waits for it and for all its calls.
   *
   * @throws the failure of the callback, or else of a call that it did not await.
   */
  async complete<T>(callback: () => Promise<T>): Promise<T> {
    try {
      const result = await callback();
      this.#state = 'finishing';
      this.#exclusiveCall?.cancel?.();
      for (const { given, error } of this.#failures) if (!given.isObserved) throw error;
      await Promise.all(this.#unfinished);
      return result;
    } finally {
      this.#state = 'over';
      this.#exclusiveCall?.cancel?.();
      await Promise.allSettled(this.#unfinished);
    }
  }

  async #begin<T>(call: () => Promise<T>): Promise<T> {
    if (this.#state === 'over') throw callbackEnded();
    return await call();
  }

  #refusal(): BrokerError | undefined {
    if (this.#exclusiveCall === undefined) return undefined;
    return new BrokerError(
      'INVALID_REQUEST',
      `${this.#exclusiveCall.name} of this transaction is still open`,
    );
  }
}

interface ExclusiveCall {
  readonly name: string;
  readonly cancel?: () => void;
}

interface Hold {
  readonly signal: AbortSignal;
  readonly release: () => Promise<void>;
}

function callbackEnded(): BrokerError {
  const message = 'The callback that this transaction or savepoint was given to has ended';
  return new BrokerError('TRANSACTION_ENDED', message);
}
