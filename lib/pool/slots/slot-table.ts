import type { Connection } from '../connection.ts';
import type { PoolOptions } from '../pool-options.ts';
import { IdleStore } from './idle-slots.ts';
import type { Slot, SlotState } from './slot.ts';

/** Where each slot of a pool is. The only one who writes `entry.place`, so that the counts cannot disagree with it. */
export class SlotTable<C extends Connection> {
  readonly #entries = new Set<Slot<C>>();
  readonly #idle: IdleStore<C>;
  readonly #counts = { opening: 0, idle: 0, pinging: 0, 'checked-out': 0, resetting: 0, closing: 0 };

  constructor(order: PoolOptions['order']) {
    this.#idle = new IdleStore(order);
  }

  get size(): number {
    return this.#entries.size;
  }

  count(place: SlotState): number {
    return this.#counts[place];
  }

  get isAnyOpen(): boolean {
    for (const entry of this.#entries) if (entry.isOpen) return true;
    return false;
  }

  get openCount(): number {
    let count = 0;
    for (const { isOpen } of this.#entries) if (isOpen) count += 1;
    return count;
  }

  get all(): Iterable<Slot<C>> {
    return this.#entries;
  }

  /** A copy, the one used longest ago first: whoever goes through it may move slots meanwhile. */
  get idle(): readonly Slot<C>[] {
    return this.#idle.all;
  }

  /** The idle slot whose turn it is. */
  nextIdle(takesUsed: boolean): Slot<C> | undefined {
    return this.#idle.next(takesUsed);
  }

  add(entry: Slot<C>): void {
    this.#entries.add(entry);
    this.#counts[entry.place] += 1;
  }

  move(entry: Slot<C>, place: SlotState): void {
    if (place === entry.place) return;
    if (entry.place === 'idle') this.#idle.remove(entry);
    if (place === 'idle') this.#idle.add(entry);
    this.#counts[entry.place] -= 1;
    this.#counts[place] += 1;
    entry.place = place;
  }

  remove(entry: Slot<C>): void {
    this.#counts[entry.place] -= 1;
    this.#entries.delete(entry);
  }

  /** Each of the idle ones is to be pinged before it is given out. */
  suspectIdle(): void {
    for (const entry of this.idle) entry.isSuspect = true;
  }
}
