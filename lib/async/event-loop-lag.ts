/** A loop that waits for less than this between two rounds was not idle. */
const IDLE_MS = 0.5;

/**
 * Tells how late this process may see what has come in. A busy event loop looks at its sockets once a round: what it
 * finds there may have come at any time since it began to handle what it found the last time.
 */
export class EventLoopLag {
  #isInRound = false;
  #beganAtMs = 0;
  #endedAtMs = 0;
  /** When what is handled in this round may have come in, at the earliest. */
  #earliestMs = 0;

  /**
   * How late what is being handled now may be, at the most, in milliseconds. To be asked in each round in which
   * anything of interest is handled.
   */
  mostMs(nowMs: number): number {
    if (!this.#isInRound) this.#begin(nowMs);
    return nowMs - this.#earliestMs;
  }

  #begin(nowMs: number): void {
    this.#isInRound = true;
    this.#earliestMs = nowMs - this.#endedAtMs < IDLE_MS ? this.#beganAtMs : nowMs;
    this.#beganAtMs = nowMs;
    // The round ends behind all that the sockets had.
    setImmediate(() => {
      this.#isInRound = false;
      this.#endedAtMs = performance.now();
    });
  }
}
