/** Of fewer, the one that is kept would be too large a part. */
const LEAST_TO_KEEP_ONE = 5;

/**
 * The connections that each caller has. Where several callers use a pool of five connections or more, none has all that
 * the pool can have: the last one is for a caller that has none.
 */
export class ConnectionShares {
  readonly #isShared: boolean;
  readonly #reach: () => number;
  readonly #held = new Map<string, number>();

  /** @param reach How many connections the pool can have now. */
  constructor(isShared: boolean, reach: () => number) {
    this.#isShared = isShared;
    this.#reach = reach;
  }

  /** What a caller may have at the most. Infinity: as many as there are. */
  get most(): number {
    if (!this.#isShared) return Number.POSITIVE_INFINITY;
    const reach = this.#reach();
    return reach < LEAST_TO_KEEP_ONE ? Number.POSITIVE_INFINITY : reach - 1;
  }

  /** 0 for everybody if only one caller uses the pool. */
  heldBy(caller: string): number {
    return this.#held.get(caller) ?? 0;
  }

  mayAcquire(caller: string): boolean {
    return !this.#isShared || this.heldBy(caller) < this.most;
  }

  acquire(caller: string): void {
    if (this.#isShared) this.#held.set(caller, this.heldBy(caller) + 1);
  }

  release(caller: string): void {
    const own = this.heldBy(caller);
    if (own > 1) this.#held.set(caller, own - 1);
    else this.#held.delete(caller);
  }
}
