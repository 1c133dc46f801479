import type { Connection } from '../connection.ts';
import type { PoolOptions } from '../pool-options.ts';
import { IdleStore } from './idle-slots.ts';
import type { Slot, SlotState } from './slot.ts';

/** Where each slot of a pool is. The only one who writes `slot.place`, so that the counts cannot disagree with it. */
export class SlotTable<C extends Connection> {
  readonly #slots = new Set<Slot<C>>();
  readonly #idle: IdleStore<C>;
  readonly #counts = { opening: 0, idle: 0, pinging: 0, 'checked-out': 0, resetting: 0, closing: 0 };

  constructor(order: PoolOptions['order']) {
    this.#idle = new IdleStore(order);
  }

  get size(): number {
    return this.#slots.size;
  }

  count(place: SlotState): number {
    return this.#counts[place];
  }

  get isAnyOpen(): boolean {
    for (const slot of this.#slots) if (slot.isOpen) return true;
    return false;
  }

  get openCount(): number {
    let count = 0;
    for (const { isOpen } of this.#slots) if (isOpen) count += 1;
    return count;
  }

  get all(): Iterable<Slot<C>> {
    return this.#slots;
  }

  /** A copy, the one used longest ago first: whoever goes through it may move slots meanwhile. */
  get idle(): readonly Slot<C>[] {
    return this.#idle.all;
  }

  /** The idle slot whose turn it is. */
  nextIdle(takesUsed: boolean): Slot<C> | undefined {
    return this.#idle.next(takesUsed);
  }

  add(slot: Slot<C>): void {
    this.#slots.add(slot);
    this.#counts[slot.state] += 1;
  }

  move(slot: Slot<C>, place: SlotState): void {
    if (place === slot.state) return;
    if (slot.state === 'idle') this.#idle.remove(slot);
    if (place === 'idle') this.#idle.add(slot);
    this.#counts[slot.state] -= 1;
    this.#counts[place] += 1;
    slot.state = place;
  }

  remove(slot: Slot<C>): void {
    this.#counts[slot.state] -= 1;
    this.#slots.delete(slot);
    slot.onGone?.();
  }

  /** Each of the idle ones is to be pinged before it is given out. */
  suspectIdle(): void {
    for (const slot of this.idle) slot.isSuspect = true;
  }
}
