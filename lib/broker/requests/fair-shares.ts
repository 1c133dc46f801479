/** So long after it was refused a caller counts as one that wants a place: it is told to come again earlier. */
const WANTED_MS = 5_000;

/** Why a place is not to be had. */
export interface ShareRefusal {
  /** What the caller, or all together, may hold. */
  readonly max: number;
  /** What that would have become. */
  readonly actual: number;
  /** What the caller holds. Never what others do. */
  readonly own: number;
}

/** How many places there are, and for whom. */
export interface ShareTerms {
  readonly max: number;
  /** Several callers may want them. */
  readonly isShared: boolean;
}

/**
 * Places that callers hold for a while, each until it gives them back, divided fairly among them:
 * - the last free one is only for a caller that holds none, unless there is but one in all;
 * - while another caller wants one in vain, nobody takes more than its share, which is the same for all who hold or want
 *   any.
 *
 * So one caller may hold all but one as long as nobody else asks.
 */
export class FairShares {
  readonly #held = new Map<string, number>();
  /** When callers below their share were refused, on the monotonic clock. */
  readonly #wantedAtMs = new Map<string, number>();
  #total = 0;

  /** All that are held. */
  get total(): number {
    return this.#total;
  }

  /** Takes a place for the caller, who must give it back. Or tells why it cannot. */
  take(caller: string, { max, isShared }: ShareTerms): ShareRefusal | undefined {
    const own = this.#held.get(caller) ?? 0;
    const share = this.#shareOf(caller, max);
    const isFull = this.#total >= max;
    const isKept = isShared && max > 1 && own > 0 && this.#total === max - 1;
    const isOverShare = own >= share && this.#isWantedByAnother(caller);
    if (!isFull && !isKept && !isOverShare) {
      this.#wantedAtMs.delete(caller);
      this.#held.set(caller, own + 1);
      this.#total += 1;
      return undefined;
    }
    if (own < share) this.#wantedAtMs.set(caller, performance.now());
    if (isFull) return { max, actual: this.#total + 1, own };
    return { max: isOverShare ? share : max - 1, actual: own + 1, own };
  }

  giveBack(caller: string): void {
    const own = this.#held.get(caller) ?? 0;
    if (own > 1) this.#held.set(caller, own - 1);
    else this.#held.delete(caller);
    this.#total -= 1;
  }

  #shareOf(caller: string, max: number): number {
    const callers = new Set([...this.#held.keys(), ...this.#wanting(), caller]);
    return Math.max(1, Math.floor(max / callers.size));
  }

  #isWantedByAnother(caller: string): boolean {
    return [...this.#wanting()].some((other) => other !== caller);
  }

  *#wanting(): Generator<string> {
    const sinceMs = performance.now() - WANTED_MS;
    for (const [caller, wantedAtMs] of this.#wantedAtMs) {
      if (wantedAtMs < sinceMs) this.#wantedAtMs.delete(caller);
      else yield caller;
    }
  }
}

/** The same for each database by its alias. */
export class SharesByAlias {
  readonly #shares = new Map<string, FairShares>();

  of(alias: string): FairShares {
    const shares = this.#shares.get(alias) ?? new FairShares();
    this.#shares.set(alias, shares);
    return shares;
  }
}
