import { assert } from '../errors.ts';
import type { Holder } from './checkout.ts';
import type { Connection } from './connection.ts';
import type { PoolEvents } from './pool-events.ts';
import { PooledConnection } from './pooled-connection.ts';
import type { Slot } from './slots/slot.ts';

/** Notes who has a slot's connection until it comes back, and tells observers of both. */
export class Lender<C extends Connection> {
  readonly #events: PoolEvents;
  readonly #onBack: (entry: Slot<C>, nowMs: number) => void;

  /** `onBack` decides what becomes of a slot that came back. */
  constructor(events: PoolEvents, onBack: (entry: Slot<C>, nowMs: number) => void) {
    this.#events = events;
    this.#onBack = onBack;
  }

  checkOut(entry: Slot<C>, borrower: Holder, waitedMs: number, nowMs: number): PooledConnection<C> {
    entry.loan = { borrower, sinceMs: nowMs, isOverdue: false };
    this.#events.emit('checkout', { waitedMs });
    return new PooledConnection(entry, waitedMs, this);
  }

  checkIn(entry: Slot<C>): void {
    const { loan } = entry;
    assert(loan !== undefined, 'a connection came back that nobody had');
    entry.loan = undefined;
    const nowMs = performance.now();
    entry.markUsed(nowMs);
    const heldMs = nowMs - loan.sinceMs;
    this.#events.emit('checkin', { heldMs });
    if (loan.isOverdue) this.#events.emit('late_checkin', { heldMs, ...loan.borrower });
    this.#onBack(entry, nowMs);
  }

  noteDoubleCheckin(): void {
    this.#events.emit('double_checkin', {});
  }
}
