import type { Connection } from '../connection.ts';
import type { Slot } from './slot.ts';
import type { SlotTable } from './slot-table.ts';

/** What a renewal asks of its pool. */
interface RenewalTerms<C extends Connection> {
  /** No login fits beside what is open, and none is under way. */
  lacksRoom(): boolean;
  /** Closes an outdated connection for its successor. */
  close(slot: Slot<C>): void;
  /** Successors may be due. */
  onDue(): void;
  /** Rejects unless the newest credentials were taken. */
  prove(): Promise<void>;
}

/**
 * Replaces connections that are outdated, because newer credentials are known than those they logged in with. They
 * work as before, and nobody knows yet whether the newer credentials do. So each serves until a login with the newer
 * ones has succeeded, and goes then, one for one. Where no login fits beside them, one is closed to make room: never
 * the last one, unless the newer credentials were proven.
 */
export class Renewal<C extends Connection> {
  readonly #places: SlotTable<C>;
  readonly #terms: RenewalTerms<C>;
  #isUnderWay = false;
  /** Logins with newer credentials, less the outdated connections that went for them. -1: one went to make room. */
  #credit = 0;
  /** The newer credentials were refused: more logins would end no better. */
  #isStalled = false;
  #isProven = false;
  #isProving = false;

  constructor(places: SlotTable<C>, terms: RenewalTerms<C>) {
    this.#places = places;
    this.#terms = terms;
  }

  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** Newer credentials are known. */
  begin(): void {
    this.#isUnderWay = true;
    this.#isStalled = false;
    this.#isProven = false;
    this.#credit = Math.min(0, this.#credit);
    this.#endIfDone();
    this.goOn();
  }

  /** What was refused may be taken now. */
  tryAgain(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    this.goOn();
    this.#terms.onDue();
  }

  /** Connections for which a successor should be logging in. */
  get successorsDue(): number {
    if (!this.#isUnderWay || this.#isStalled) return 0;
    if (this.#credit < 0) return 1;
    return this.#places.idle.filter(({ connection }) => connection.isOutdated).length;
  }

  /**
   * A login succeeded. If the connection is outdated, the newest credentials were refused and older ones taken.
   *
   * @param isOldNews They were not tried: they became known while it was under way.
   */
  opened({ isOutdated }: C, isOldNews: boolean): void {
    if (isOutdated) {
      this.#isUnderWay = true;
      this.#isStalled ||= !isOldNews;
      this.#credit = Math.max(0, this.#credit);
      return;
    }
    if (!this.#isUnderWay) return;
    this.#isStalled = false;
    this.#isProven = true;
    this.#credit += 1;
    this.#endIfDone();
    this.goOn();
  }

  /** Whether this connection, which is free, goes now. */
  replaces({ connection }: Slot<C>): boolean {
    if (!this.#isUnderWay || !connection.isOutdated) return false;
    if (this.#credit > 0) return true;
    if (this.#credit < 0 || this.#isStalled) return false;
    return (this.#isProven || this.#places.openCount > 1) && this.#terms.lacksRoom();
  }

  /** An outdated connection is closed for its successor. */
  replaced(): void {
    this.#credit -= 1;
    this.#endIfDone();
  }

  /** Closes the idle connections whose turn it is. */
  goOn(): void {
    if (!this.#isUnderWay) return;
    for (const slot of this.#places.idle) {
      if (slot.state === 'idle' && this.replaces(slot)) this.#terms.close(slot);
    }
    if (this.#needsProof) void this.#prove();
  }

  /** The only connection must not go to make room before the newer credentials are known to work. */
  get #needsProof(): boolean {
    if (!this.#isUnderWay || this.#isStalled || this.#isProven || this.#isProving) return false;
    return this.#credit === 0 && this.#places.openCount === 1 && this.#terms.lacksRoom();
  }

  async #prove(): Promise<void> {
    this.#isProving = true;
    try {
      await this.#terms.prove();
      this.#isProven = true;
    } catch {
      this.#isStalled = true;
    }
    this.#isProving = false;
    this.goOn();
  }

  #endIfDone(): void {
    // A login that is owed is still to come.
    if (this.#credit < 0) return;
    for (const slot of this.#places.all) if (slot.isOpen && slot.connection.isOutdated) return;
    this.#isUnderWay = false;
    this.#credit = 0;
  }
}
