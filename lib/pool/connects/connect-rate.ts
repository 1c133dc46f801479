/** Logins that a new line may have under way: most lines are over before a login is. */
const FIRST_AT_ONCE = 2;
/** The same while nothing is open, so that nothing can come back to serve the line. */
const FIRST_AT_ONCE_WHEN_COLD = 8;
/** A line that was held back for so long may have one more under way: the others may hang. */
const PATIENCE_MS = 100;
/** However quickly connections come and go: so many logins at a stroke, and then one each so often. */
const LOGINS_AT_A_STROKE = 20;
const LOGIN_INTERVAL_MS = 20;

/**
 * How fast a pool grows. A line begins with a few logins; each that succeeds while the line lasts allows one more
 * at once, so that they double with every round.
 */
export class ConnectRateLimiter {
  readonly #onMore: () => void;
  #allowedAtOnce = FIRST_AT_ONCE;
  #inStock = LOGINS_AT_A_STROKE;
  #stockedAtMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  /** `onMore` is called when a login that was held back may be worth another try. */
  constructor(onMore: () => void) {
    this.#onMore = onMore;
  }

  /** Whether one more may begin, beside those `underWay`. If so it counts as begun. */
  begin(underWay: number, isCold: boolean): boolean {
    this.#restock();
    if (this.#inStock < 1) {
      this.#askAgainAfter(LOGIN_INTERVAL_MS, 0);
      return false;
    }
    if (underWay >= Math.max(this.#allowedAtOnce, isCold ? FIRST_AT_ONCE_WHEN_COLD : 0)) {
      this.#askAgainAfter(PATIENCE_MS, 1);
      return false;
    }
    this.#inStock -= 1;
    return true;
  }

  succeeded(): void {
    this.#allowedAtOnce += 1;
  }

  /** A new line begins. */
  startOver(): void {
    this.#allowedAtOnce = FIRST_AT_ONCE;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #restock(): void {
    const nowMs = performance.now();
    const made = (nowMs - this.#stockedAtMs) / LOGIN_INTERVAL_MS;
    this.#inStock = Math.min(LOGINS_AT_A_STROKE, this.#inStock + made);
    this.#stockedAtMs = nowMs;
  }

  #askAgainAfter(delayMs: number, moreAtOnce: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#allowedAtOnce += moreAtOnce;
      this.#onMore();
    }, delayMs).unref();
  }
}
