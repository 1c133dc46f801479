const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;

/** Spaces out connects while they fail. The first success closes it. */
export class ConnectBackOff {
  readonly #onOver: () => void;
  #failures = 0;
  #lastError: unknown;
  #timer: NodeJS.Timeout | undefined;

  /** `onOver` is called each time that a delay has passed: now somebody may try again. */
  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  /** The reason of the last failure; undefined once a connect has succeeded. */
  get lastError(): unknown {
    return this.#lastError;
  }

  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** Nobody should try yet. */
  get isHolding(): boolean {
    return this.#timer !== undefined;
  }

  /** Doubles the delay, half of it at random so that brokers do not return in step. */
  failed(error: unknown): void {
    this.#lastError = error;
    // Logins that were under way together fail together, and count once.
    if (this.isHolding) return;
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** this.#failures, LONGEST_DELAY_MS);
    this.#failures += 1;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#onOver();
      },
      delayMs * (0.5 + Math.random() / 2),
    );
    this.#timer.unref();
  }

  succeeded(): void {
    this.#failures = 0;
    this.#lastError = undefined;
    this.stop();
  }

  /** Ends the delay, if there is one, before its time. */
  cutShort(): void {
    if (!this.isHolding) return;
    this.stop();
    this.#onOver();
  }

  /** Calls back no more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
