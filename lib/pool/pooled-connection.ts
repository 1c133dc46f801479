import type { Connection } from './connection.ts';

/** A holder used its connection after it had given it back: somebody else may have it by now. */
export class CheckedInError extends Error {
  constructor() {
    super('This connection was checked in already');
    this.name = 'CheckedInError';
  }
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
  readonly #connection: C;
  readonly #onDoubleCheckin: () => void;
  #giveBack: (() => void) | undefined;

  constructor(connection: C, waitedMs: number, giveBack: () => void, onDoubleCheckin: () => void) {
    this.#connection = connection;
    this.waitedMs = waitedMs;
    this.#giveBack = giveBack;
    this.#onDoubleCheckin = onDoubleCheckin;
  }

  /** @throws {CheckedInError} */
  get connection(): C {
    if (this.#giveBack === undefined) throw new CheckedInError();
    return this.#connection;
  }

  /** Gives the connection back. The pool resets it behind the caller's back. A second call is only counted. */
  checkin(): void {
    if (this.#giveBack === undefined) this.#onDoubleCheckin();
    else this.#end(this.#giveBack);
  }

  /** Gives the connection back unless that is done. */
  [Symbol.dispose](): void {
    if (this.#giveBack !== undefined) this.#end(this.#giveBack);
  }

  #end(giveBack: () => void): void {
    this.#giveBack = undefined;
    giveBack();
  }
}
