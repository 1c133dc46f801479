import { BrokerError, type ErrorCode } from '../../errors.ts';

/** A refused caller counts as wanting for this long. It is told to retry sooner. */
const WANTED_MS = 5_000;

/** Why nothing was acquired. */
export interface ShareRefusal {
  /** What the caller, or all together, may hold. */
  readonly max: number;
  /** What that would have become. */
  readonly actual: number;
  /** What the caller holds. Never what others do. */
  readonly held: number;
}

/** How many may be held, and by whom. */
export interface ShareLimits {
  readonly max: number;
  /** Several callers may acquire. */
  readonly isShared: boolean;
}

/**
 * A counting semaphore that is fair among callers:
 * - the last free unit is kept for a caller that holds none, unless `max` is 1;
 * - while a refused caller still wants one, nobody exceeds its share: `max` divided by the callers that hold or want any.
 *
 * So one caller may hold all but one while nobody else asks.
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

  /** Acquires one for the caller, which must `release` it. Returns why it cannot, if so. */
  acquire(caller: string, { max, isShared }: ShareLimits): ShareRefusal | undefined {
    const held = this.#held.get(caller) ?? 0;
    const share = this.#shareOf(caller, max);
    const isFull = this.#total >= max;
    const isKept = isShared && max > 1 && held > 0 && this.#total === max - 1;
    const isOverShare = held >= share && this.#isWantedByAnother(caller);
    if (!isFull && !isKept && !isOverShare) {
      this.#wantedAtMs.delete(caller);
      this.#held.set(caller, held + 1);
      this.#total += 1;
      return undefined;
    }
    if (held < share) this.#wantedAtMs.set(caller, performance.now());
    if (isFull) return { max, actual: this.#total + 1, held };
    return { max: isOverShare ? share : max - 1, actual: held + 1, held };
  }

  release(caller: string): void {
    const held = this.#held.get(caller) ?? 0;
    if (held > 1) this.#held.set(caller, held - 1);
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

/** What is shared. */
interface Shared {
  /** Of a refusal. */
  readonly code: ErrorCode;
  /** In the plural. */
  readonly noun: string;
  /** The setting that limits them. */
  readonly setting: string;
}

/** One {@link FairShares} for each database, by its alias. */
export class SharesByAlias {
  readonly #shared: Shared;
  readonly #shares = new Map<string, FairShares>();

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  /** All that are held. */
  total(alias: string): number {
    return this.#of(alias).total;
  }

  /**
   * Acquires one for the caller, which must `release` it.
   *
   * @throws {BrokerError} The code of what is shared. It tells what the caller itself holds, never what others do.
   */
  acquire(alias: string, caller: string, limits: ShareLimits): void {
    const refusal = this.#of(alias).acquire(caller, limits);
    if (refusal === undefined) return;
    const { code, noun, setting } = this.#shared;
    const { max, actual, held: own } = refusal;
    throw new BrokerError(
      code,
      `At most ${limits.max} ${noun} may be open at a time, shared fairly by the callers; ${own} are this caller's`,
      { limit: { name: setting, max, actual }, details: { own } },
    );
  }

  release(alias: string, caller: string): void {
    this.#of(alias).release(caller);
  }

  #of(alias: string): FairShares {
    const shares = this.#shares.get(alias) ?? new FairShares();
    this.#shares.set(alias, shares);
    return shares;
  }
}
