import type { Connection } from './connection.ts';

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
  #giveBack: (() => void) | undefined;

  constructor(connection: C, waitedMs: number, giveBack: () => void) {
    this.#connection = connection;
    this.waitedMs = waitedMs;
    this.#giveBack = giveBack;
  }

  get connection(): C {
    if (this.#giveBack === undefined) throw new Error('This connection was checked in already');
    return this.#connection;
  }

  /** Gives the connection back. The pool resets it behind the caller's back. A second call does nothing. */
  checkin(): void {
    const giveBack = this.#giveBack;
    this.#giveBack = undefined;
    giveBack?.();
  }

  [Symbol.dispose](): void {
    this.checkin();
  }
}
