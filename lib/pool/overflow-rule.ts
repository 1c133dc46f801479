/** Weight of the newest checkout in the average: about the last 16 count. */
const CHECKOUT_WEIGHT = 1 / 16;
/** Of the newest login: they are few, and the load of the moment decides how long they take. */
const LOGIN_WEIGHT = 1 / 4;

/**
 * Whether an overflow connection is worth its login. A login takes its time, and time of the server and the broker
 * that the open connections could use. So it is worth it only for calls that would wait longer for an open one.
 *
 * While `checkedOut` connections are held for `heldMs` each, `checkedOut / heldMs` come free in a millisecond (Little's
 * law), and the last of `waiting` calls waits for `waiting * heldMs / checkedOut`. Holders may be slower than those
 * before them: whoever has waited for as long as a login takes has one begun all the same, so that a wrong guess at
 * most doubles the wait (the ski rental problem).
 */
export class OverflowRule {
  /** Averages that weigh the newest most; undefined before the first. */
  #heldMs: number | undefined;
  #loginMs: number | undefined;

  checkoutEnded(heldMs: number): void {
    this.#heldMs = average(this.#heldMs, heldMs, CHECKOUT_WEIGHT);
  }

  loginSucceeded(durationMs: number): void {
    this.#loginMs = average(this.#loginMs, durationMs, LOGIN_WEIGHT);
  }

  /** How long a login is expected to take; 0 while nothing is known, so that nobody waits for one to begin. */
  get loginMs(): number {
    return this.#heldMs === undefined ? 0 : (this.#loginMs ?? 0);
  }

  /** The open connections are expected to serve the last of `waiting` calls later than a login would. */
  isWaitLongerThanLogin(waiting: number, checkedOut: number): boolean {
    return waiting * (this.#heldMs ?? 0) > checkedOut * this.loginMs;
  }
}

function average(soFarMs: number | undefined, newestMs: number, weight: number): number {
  return soFarMs === undefined ? newestMs : soFarMs + (newestMs - soFarMs) * weight;
}
