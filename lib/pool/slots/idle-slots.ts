import type { Connection } from '../connection.ts';
import type { PoolOptions } from '../pool-options.ts';
import type { Slot } from './slot.ts';

function isUnused({ isUsed }: { readonly isUsed: boolean }): boolean {
  return !isUsed;
}

/** The idle slots, the one used longest ago first. */
export class IdleStore<C extends Connection> {
  readonly #order: PoolOptions['order'];
  readonly #entries: Slot<C>[] = [];

  constructor(order: PoolOptions['order']) {
    this.#order = order;
  }

  /** The slot whose turn it is; for whoever takes no used one, one that needs no reset if there is any. */
  next(takesUsed: boolean): Slot<C> | undefined {
    if (this.#entries.length === 0) return undefined;
    const isLifo = this.#order === 'lifo';
    const next = this.#entries[isLifo ? this.#entries.length - 1 : 0];
    if (takesUsed || next?.isUsed !== true) return next;
    return (isLifo ? this.#entries.findLast(isUnused) : this.#entries.find(isUnused)) ?? next;
  }

  /** A copy: whoever goes through it may move slots meanwhile. */
  get all(): readonly Slot<C>[] {
    return [...this.#entries];
  }

  /** A slot that was only pinged takes its old place: a ping is no use. */
  add(entry: Slot<C>): void {
    let index = this.#entries.length;
    for (; index > 0; index -= 1) {
      const before = this.#entries[index - 1];
      if (before === undefined || before.lastUsedAtMs <= entry.lastUsedAtMs) break;
    }
    if (index === this.#entries.length) this.#entries.push(entry);
    else this.#entries.splice(index, 0, entry);
  }

  remove(entry: Slot<C>): void {
    if (this.#entries.at(-1) === entry) this.#entries.pop();
    else this.#entries.splice(this.#entries.lastIndexOf(entry), 1);
  }
}
