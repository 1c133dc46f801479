import { assert } from '../errors.ts';
import type { Holder } from './checkout.ts';
import type { Connection } from './connection.ts';
import type { PoolEvents } from './pool-events.ts';
import { PooledConnection } from './pooled-connection.ts';
import type { Slot } from './slots/slot.ts';

/** Notes who has a slot's connection until it comes back, and tells observers of both. */
export class Lender<C extends Connection> {
  readonly #events: PoolEvents;
  readonly #onBack: (slot: Slot<C>, nowMs: number) => void;

  /** `onBack` decides what becomes of a slot that came back. */
  constructor(events: PoolEvents, onBack: (slot: Slot<C>, nowMs: number) => void) {
    this.#events = events;
    this.#onBack = onBack;
  }

  checkOut(slot: Slot<C>, holder: Holder, waitedMs: number, nowMs: number): PooledConnection<C> {
    slot.checkout = { holder, sinceMs: nowMs, isOverdue: false };
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
    this.#onBack(slot, nowMs);
  }

  noteDoubleCheckin(): void {
    this.#events.emit('double_checkin', {});
  }
}
