import { BrokerError } from '../../errors.ts';
import { ObservedPromise } from './observed-promise.ts';

/**
 * The calls of one callback, one at a time in the order in which they were made: requests that travel on several
 * connections could overtake each other.
 */
export class CallQueue {
  /** `finishing`: takes no further calls. `over`: those that are still in line do not go any more. */
  #state: 'open' | 'finishing' | 'over' = 'open';
  #last: Promise<unknown> = Promise.resolve();
  readonly #unfinished = new Set<Promise<unknown>>();
  readonly #failures: { readonly given: ObservedPromise<unknown>; readonly error: unknown }[] = [];
  /** A call that has the line for itself, and how to end it early. */
  #soleCall: SoleCall | undefined;

  /** Not async: what the caller holds is the promise that tells whether anybody heeds it. */
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

  /** Refuses all other calls until this one is done: they would wait for it, and it perhaps for them. */
  runAlone<T>(soleCall: SoleCall, call: () => Promise<T>): Promise<T> {
    const turn = this.run(async () => {
      try {
        return await call();
      } finally {
        this.#soleCall = undefined;
      }
    });
    this.#soleCall ??= soleCall;
    return turn;
  }

  /** As `runAlone`, from its turn until it is released; or until the line is done with, which the signal tells. */
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
      const held = this.runAlone({ name, cancel }, async () => {
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
   * Runs a callback that makes its calls here, to its end and theirs.
   *
   * @throws the first failure of the callback, or else of a call that it did not wait for.
   */
  async complete<T>(callback: () => Promise<T>): Promise<T> {
    try {
      const result = await callback();
      this.#state = 'finishing';
      this.#soleCall?.cancel?.();
      for (const { given, error } of this.#failures) if (!given.isObserved) throw error;
      await Promise.all(this.#unfinished);
      return result;
    } finally {
      this.#state = 'over';
      this.#soleCall?.cancel?.();
      await Promise.allSettled(this.#unfinished);
    }
  }

  async #begin<T>(call: () => Promise<T>): Promise<T> {
    if (this.#state === 'over') throw callbackEnded();
    return await call();
  }

  #refusal(): BrokerError | undefined {
    if (this.#soleCall === undefined) return undefined;
    return new BrokerError('INVALID_REQUEST', `${this.#soleCall.name} of this transaction is still open`);
  }
}

interface SoleCall {
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
