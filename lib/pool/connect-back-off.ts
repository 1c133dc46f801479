const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;

/** Spaces out connects while they fail. The first success closes it. */
export class ConnectBackOff {
  #failures = 0;
  #notBeforeMs = 0;
  #lastError: unknown;

  /** The reason of the last failure; undefined once a connect has succeeded. */
  get lastError(): unknown {
    return this.#lastError;
  }

  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** Nobody should try before so many milliseconds have passed. */
  get delayMs(): number {
    return Math.max(0, this.#notBeforeMs - performance.now());
  }

  /** Doubles the delay, half of it at random so that brokers do not return in step. */
  failed(error: unknown): void {
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** this.#failures, LONGEST_DELAY_MS);
    this.#failures += 1;
    this.#lastError = error;
    this.#notBeforeMs = performance.now() + delayMs * (0.5 + Math.random() / 2);
  }

  succeeded(): void {
    this.#failures = 0;
    this.#notBeforeMs = 0;
    this.#lastError = undefined;
  }
}
