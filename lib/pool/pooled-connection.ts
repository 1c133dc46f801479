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
  checkIn(entry: Slot<C>): void;
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
  #entry: Slot<C> | undefined;

  constructor(entry: Slot<C>, waitedMs: number, lender: Lender<C>) {
    this.#entry = entry;
    this.waitedMs = waitedMs;
    this.#lender = lender;
  }

  /** @throws {CheckedInError} */
  get connection(): C {
    if (this.#entry === undefined) throw new CheckedInError();
    return this.#entry.connection;
  }

  /** Gives the connection back. The pool resets it behind the caller's back. A second call is only counted. */
  checkin(): void {
    if (this.#entry === undefined) this.#lender.noteDoubleCheckin();
    else this.#end(this.#entry);
  }

  /** Gives the connection back unless that is done. */
  [Symbol.dispose](): void {
    if (this.#entry !== undefined) this.#end(this.#entry);
  }

  #end(entry: Slot<C>): void {
    this.#entry = undefined;
    this.#lender.checkIn(entry);
  }
}
