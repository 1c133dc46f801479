import type { Connection } from './connection.ts';
import type { ServerConnectionLimit } from './connects/server-limit.ts';
import type { PoolOptions } from './pool-options.ts';
import type { Slots } from './slots/slots.ts';

interface QueueView {
  readonly size: number;
  readonly isAnyServable: boolean;
}

/** What a pool's callers want of its slots, and whether the pool needs more of them. */
export class PoolSizing<C extends Connection> {
  /** The pool takes work. */
  isOpen = true;
  /** Calls wait in line until somebody resumes the pool. */
  isPaused = false;
  readonly #options: PoolOptions;
  readonly #slots: Slots<C>;
  readonly #server: ServerConnectionLimit;
  readonly #queue: QueueView;

  constructor(options: PoolOptions, slots: Slots<C>, server: ServerConnectionLimit, line: QueueView) {
    this.#options = options;
    this.#slots = slots;
    this.#server = server;
    this.#queue = line;
  }

  /** Calls in line, also of callers that have all the connections that they may have. */
  get inLine(): number {
    return this.isPaused ? 0 : this.#queue.size;
  }

  /** Connections kept open while nobody waits. */
  get keptSize(): number {
    return this.#options.size;
  }

  /** A connection that is free now serves somebody. */
  get hasWaiters(): boolean {
    return !this.isPaused && this.#queue.isAnyServable;
  }

  /** Queue length if one more caller joined, without callers that an idle, opening or still allowed connection will serve. */
  get queueLengthIfJoined(): number {
    if (this.isPaused) return this.#queue.size + 1;
    const coming = this.#slots.onTheirWay + this.#slots.count('idle') + this.reach - this.#slots.size;
    return this.#queue.size + 1 - coming;
  }

  /** More callers wait than connections are being opened, pinged or reset for them. */
  get hasStarvedWaiter(): boolean {
    return this.inLine > this.#slots.onTheirWay;
  }

  /** The pool should open one more, and may. */
  get shouldOpen(): boolean {
    if (this.#slots.size >= this.#cap) return false;
    return this.hasStarvedWaiter || this.#isProbeDue || this.#isBelowMinIdle || this.#isSuccessorDue;
  }

  /** One of the kept slots will soon be missed, and a successor fits under the cap. */
  get hasRoomForSuccessor(): boolean {
    return this.#slots.size <= this.#options.size && this.#slots.size < this.#cap;
  }

  /** Connections that the pool can have now. */
  get reach(): number {
    return Math.min(this.#cap, this.#slots.size + this.#server.free);
  }

  get #cap(): number {
    return this.#options.size + this.#options.maxOverflow;
  }

  /** A pool that is down tries by itself, so that it knows when it is up again. */
  get #isProbeDue(): boolean {
    return this.isOpen && !this.isPaused && this.#slots.isDown;
  }

  /** A connection with older credentials waits for its successor. */
  get #isSuccessorDue(): boolean {
    return this.isOpen && !this.isPaused && this.#slots.renewal.successorsDue > this.#slots.count('opening');
  }

  /** A pool that has opened something keeps `minIdle` open. */
  get #isBelowMinIdle(): boolean {
    if (!this.isOpen || this.isPaused || !this.#slots.hasOpened) return false;
    return this.#slots.size - this.#slots.count('closing') < this.#options.minIdle;
  }
}
