import type { Connection } from './connection.ts';
import type { Slot } from './slots/slot.ts';

/** A holder used its connection after it had given it back: somebody else may have it by now. */
export class CheckedInError extends Error {
  constructor() {
    super('This connection was checked in already');
    this.name = 'CheckedInError';
  }
}

/** Who a connection goes back to. */
interface Lender<C extends Connection> {
  checkIn(slot: Slot<C>): void;
  noteDoubleCheckin(): void;
}

/**
 * One checkout: a connection that is its holder's alone until checkin.
 *
 *     using pooled = await pool.checkout();
 *     await pooled.connection.query(...);
 */
export class PooledConnection<C extends Connection> {
  /** How long the caller waited for it. */
  readonly waitedMs: number;
  readonly #lender: Lender<C>;
  /** Until checkin. */
  #slot: Slot<C> | undefined;

  constructor(slot: Slot<C>, waitedMs: number, lender: Lender<C>) {
    this.#slot = slot;
    this.waitedMs = waitedMs;
    this.#lender = lender;
  }

  /** @throws {CheckedInError} */
  get connection(): C {
    if (this.#slot === undefined) throw new CheckedInError();
    return this.#slot.connection;
  }

  /** Gives the connection back. The pool resets it behind the caller's back. A second call is only counted. */
  checkin(): void {
    if (this.#slot === undefined) this.#lender.noteDoubleCheckin();
    else this.#end(this.#slot);
  }

  /** Gives the connection back unless that is done. */
  [Symbol.dispose](): void {
    if (this.#slot !== undefined) this.#end(this.#slot);
  }

  #end(slot: Slot<C>): void {
    this.#slot = undefined;
    this.#lender.checkIn(slot);
  }
}
