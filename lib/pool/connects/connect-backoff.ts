import { backOffMs } from '../../async/back-off.ts';
import type { ConnectVerdict } from '../connection.ts';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
/** While credentials are refused: a try is mostly a look for others, and logins are bounded by the connector. */
const LONGEST_DELAY_FOR_CREDENTIALS_MS = 500;
/** For half a minute: longer than a rotation takes. Credentials that are refused for longer are wrong. */
const TRIES_FOR_CREDENTIALS = 60;
/** What failed so long ago tells nothing of now. */
const RECENT_MS = 10_000;

/** Spaces out connects while they fail. The first success closes it. */
export class ConnectBackOff {
  readonly #onOver: () => void;
  #failures = 0;
  #lastError: unknown;
  #failedAtMs = 0;
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

  /** And did so not long ago. */
  get hasFailedRecently(): boolean {
    return this.isFailing && performance.now() < this.#failedAtMs + RECENT_MS;
  }

  /** Nobody should try yet. */
  get isHolding(): boolean {
    return this.#timer !== undefined;
  }

  /** Doubles the delay, half of it at random so that brokers do not return in step. */
  failed(error: unknown, verdict: ConnectVerdict): void {
    this.#lastError = error;
    this.#failedAtMs = performance.now();
    // Logins that were under way together fail together, and count once.
    if (this.isHolding) return;
    const isRotation = verdict === 'credentials' && this.#failures < TRIES_FOR_CREDENTIALS;
    const maxMs = isRotation ? LONGEST_DELAY_FOR_CREDENTIALS_MS : LONGEST_DELAY_MS;
    const delayMs = backOffMs({ firstMs: FIRST_DELAY_MS, maxMs }, this.#failures);
    this.#failures += 1;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#onOver();
    }, delayMs);
    this.#timer.unref();
  }

  /** Connects succeed, or what is known of their failures tells nothing any more. */
  startOver(): void {
    this.#failures = 0;
    this.#lastError = undefined;
    this.stop();
  }

  /** Calls back no more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
