/** Concurrent logins when callers begin to queue. Low, because most queues clear before a login completes. */
const FIRST_AT_ONCE = 2;
/** The same while no connection is open, so that no checkin can serve the queue. */
const FIRST_AT_ONCE_WHEN_COLD = 8;
/** After this time without progress one more login may begin: those under way may hang. */
const PATIENCE_MS = 100;
/** Token bucket over all logins of the pool: a burst of 20, then one every 20 ms. */
const LOGINS_AT_A_STROKE = 20;
const LOGIN_INTERVAL_MS = 20;

/**
 * How fast a pool grows. A queue begins with a few logins; each that succeeds while callers still wait allows one more
 * at once, so the number doubles with every round.
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
