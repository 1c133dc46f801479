import type { Connection } from '../connection.ts';
import type { PoolOptions } from '../pool-options.ts';
import type { Slot } from './slot.ts';

function isUnused({ isUsed }: { readonly isUsed: boolean }): boolean {
  return !isUsed;
}

/** The idle slots, the one used longest ago first. */
export class IdleStore<C extends Connection> {
  readonly #order: PoolOptions['order'];
  readonly #slots: Slot<C>[] = [];

  constructor(order: PoolOptions['order']) {
    this.#order = order;
  }

  /** The slot whose turn it is; for whoever takes no used one, one that needs no reset if there is any. */
  next(takesUsed: boolean): Slot<C> | undefined {
    if (this.#slots.length === 0) return undefined;
    const isLifo = this.#order === 'lifo';
    const next = this.#slots[isLifo ? this.#slots.length - 1 : 0];
    if (takesUsed || next?.isUsed !== true) return next;
    return (isLifo ? this.#slots.findLast(isUnused) : this.#slots.find(isUnused)) ?? next;
  }

  /** A copy: whoever goes through it may move slots meanwhile. */
  get all(): readonly Slot<C>[] {
    return [...this.#slots];
  }

  /** A slot that was only pinged takes its old place: a ping is no use. */
  add(slot: Slot<C>): void {
    let index = this.#slots.length;
    for (; index > 0; index -= 1) {
      const before = this.#slots[index - 1];
      if (before === undefined || before.lastUsedAtMs <= slot.lastUsedAtMs) break;
    }
    if (index === this.#slots.length) this.#slots.push(slot);
    else this.#slots.splice(index, 0, slot);
  }

  remove(slot: Slot<C>): void {
    if (this.#slots.at(-1) === slot) this.#slots.pop();
    else this.#slots.splice(this.#slots.lastIndexOf(slot), 1);
  }
}
