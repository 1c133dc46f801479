import { assert } from '../errors.ts';
import type { Holder } from './checkout.ts';
import type { Connection } from './connection.ts';
import type { PoolEvents } from './pool-events.ts';
import type { Slot } from './slots/slot.ts';
import type { ConnectionShares } from './waiters/connection-shares.ts';

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
  readonly #checkouts: Checkouts<C>;
  /** Until checkin. */
  #slot: Slot<C> | undefined;

  constructor(slot: Slot<C>, waitedMs: number, checkouts: Checkouts<C>) {
    this.#slot = slot;
    this.waitedMs = waitedMs;
    this.#checkouts = checkouts;
  }

  /** @throws {CheckedInError} */
  get connection(): C {
    if (this.#slot === undefined) throw new CheckedInError();
    return this.#slot.connection;
  }

  /** Gives the connection back. The pool resets it behind the caller's back. A second call is only counted. */
  checkin(): void {
    if (this.#slot === undefined) this.#checkouts.noteDoubleCheckin();
    else this.#end(this.#slot);
  }

  /** Gives the connection back unless that is done. */
  [Symbol.dispose](): void {
    if (this.#slot !== undefined) this.#end(this.#slot);
  }

  #end(slot: Slot<C>): void {
    this.#slot = undefined;
    this.#checkouts.checkIn(slot);
  }
}

/** Notes who has a slot's connection until it comes back, and tells observers of both. */
export class Checkouts<C extends Connection> {
  readonly #events: PoolEvents;
  readonly #shares: ConnectionShares;
  readonly #onBack: (slot: Slot<C>, nowMs: number, heldMs: number) => void;

  /** `onBack` decides what becomes of a slot that came back. */
  constructor(
    events: PoolEvents,
    shares: ConnectionShares,
    onBack: (slot: Slot<C>, nowMs: number, heldMs: number) => void,
  ) {
    this.#events = events;
    this.#shares = shares;
    this.#onBack = onBack;
  }

  checkOut(slot: Slot<C>, holder: Holder, waitedMs: number, nowMs: number): PooledConnection<C> {
    slot.checkout = { holder, sinceMs: nowMs, isOverdue: false };
    this.#shares.acquire(holder.caller);
    this.#events.emit('checkout', { waitedMs });
    return new PooledConnection(slot, waitedMs, this);
  }

  checkIn(slot: Slot<C>): void {
    const { checkout } = slot;
    assert(checkout !== undefined, 'a connection came back that nobody had');
    slot.checkout = undefined;
    const nowMs = performance.now();
    slot.markUsed(nowMs);
    const heldMs = nowMs - checkout.sinceMs;
    this.#events.emit('checkin', { heldMs });
    if (checkout.isOverdue) this.#events.emit('late_checkin', { heldMs, ...checkout.holder });
    const { caller } = checkout.holder;
    // What is lost may keep the peer busy for long.
    if (slot.connection.isUsable) this.#shares.release(caller);
    else slot.onGone = () => this.#shares.release(caller);
    this.#onBack(slot, nowMs, heldMs);
  }

  noteDoubleCheckin(): void {
    this.#events.emit('double_checkin', {});
  }
}
