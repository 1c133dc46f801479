import type { Connection } from './connection.ts';
import type { PoolEntry } from './pool-entry.ts';
import type { PoolOptions } from './pool-options.ts';

/** The idle slots, the one used longest ago first. */
export class IdleStore<C extends Connection> {
  readonly #order: PoolOptions['order'];
  readonly #entries: PoolEntry<C>[] = [];

  constructor(order: PoolOptions['order']) {
    this.#order = order;
  }

  /** The slot whose turn it is; for whoever takes no used one, one that needs no reset if there is any. */
  next(takesUsed: boolean): PoolEntry<C> | undefined {
    const isFit = ({ isUsed }: PoolEntry<C>) => takesUsed || !isUsed;
    if (this.#order === 'lifo') return this.#entries.findLast(isFit) ?? this.#entries.at(-1);
    return this.#entries.find(isFit) ?? this.#entries[0];
  }

  /** A copy: whoever goes through it may move slots meanwhile. */
  get all(): readonly PoolEntry<C>[] {
    return [...this.#entries];
  }

  /** A slot that was only pinged takes its old place: a ping is no use. */
  add(entry: PoolEntry<C>): void {
    let index = this.#entries.length;
    for (; index > 0; index -= 1) {
      const before = this.#entries[index - 1];
      if (before === undefined || before.idleMs >= entry.idleMs) break;
    }
    this.#entries.splice(index, 0, entry);
  }

  remove(entry: PoolEntry<C>): void {
    this.#entries.splice(this.#entries.lastIndexOf(entry), 1);
  }
}
