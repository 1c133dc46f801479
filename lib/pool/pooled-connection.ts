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
 * One checkout: a connection that is its holder's alone until checkin, unless it `isShared`.
 *
 *     using pooled = await pool.checkout();
 *     await pooled.connection.query(...);
 */
export class PooledConnection<C extends Connection> {
  /** How long the caller waited for it. */
  readonly waitedMs: number;
  /** Other calls, which also asked for that, were given the same connection at the same moment. */
  readonly isShared: boolean;
  readonly #checkouts: Checkouts<C>;
  /** Until checkin. */
  #slot: Slot<C> | undefined;

  constructor(slot: Slot<C>, waitedMs: number, isShared: boolean, checkouts: Checkouts<C>) {
    this.#slot = slot;
    this.waitedMs = waitedMs;
    this.isShared = isShared;
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

/** A call whose turn it is. */
export interface ServedCall<C extends Connection> {
  readonly holder: Holder;
  readonly sinceMs: number;
  readonly resolve: (pooled: PooledConnection<C>) => void;
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

  /** For a call that has not waited. */
  checkOut(slot: Slot<C>, holder: Holder, nowMs: number): PooledConnection<C> {
    this.#note(slot, holder, 1, nowMs);
    return this.#handOver(slot, 0, false);
  }

  /**
   * Gives one connection to calls that have waited: to one, or to several that share it. It counts as the first one's
   * caller's.
   */
  serve(slot: Slot<C>, first: ServedCall<C>, others: readonly ServedCall<C>[], nowMs: number): void {
    this.#note(slot, first.holder, 1 + others.length, nowMs);
    const isShared = others.length > 0;
    first.resolve(this.#handOver(slot, nowMs - first.sinceMs, isShared));
    for (const { sinceMs, resolve } of others) resolve(this.#handOver(slot, nowMs - sinceMs, isShared));
  }

  checkIn(slot: Slot<C>): void {
    const { checkout } = slot;
    assert(checkout !== undefined, 'a connection came back that nobody had');
    const nowMs = performance.now();
    const heldMs = nowMs - checkout.sinceMs;
    this.#events.emit('checkin', { heldMs });
    checkout.holders -= 1;
    if (checkout.holders > 0) return;
    slot.checkout = undefined;
    slot.markUsed(nowMs);
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

  #note(slot: Slot<C>, holder: Holder, holders: number, nowMs: number): void {
    slot.checkout = { holder, sinceMs: nowMs, isOverdue: false, holders };
    this.#shares.acquire(holder.caller);
  }

  #handOver(slot: Slot<C>, waitedMs: number, isShared: boolean): PooledConnection<C> {
    this.#events.emit('checkout', { waitedMs });
    return new PooledConnection(slot, waitedMs, isShared, this);
  }
}
