import { EarliestTimer } from '../async/earliest-timer.ts';
import type { Connection } from './connection.ts';
import type { ServerConnectionLimit } from './connects/server-limit.ts';
import { OverflowRule } from './overflow-rule.ts';
import type { PoolOptions } from './pool-options.ts';
import type { Slots } from './slots/slots.ts';

interface QueueView {
  readonly size: number;
  readonly isAnyServable: boolean;
  /** When the call whose turn it is joined; undefined if nobody waits. */
  readonly headSinceMs: number | undefined;
}

/** What a pool's callers want of its slots, and whether the pool needs more of them. */
export class PoolSizing<C extends Connection> {
  /** The pool takes work. */
  isOpen = true;
  /** Calls wait in line until somebody resumes the pool. */
  isPaused = false;
  readonly overflow = new OverflowRule();
  readonly #options: PoolOptions;
  readonly #slots: Slots<C>;
  readonly #server: ServerConnectionLimit;
  readonly #queue: QueueView;
  readonly #timer: EarliestTimer;

  /** `onLate` is called when the call whose turn it is has waited for as long as a login takes. */
  constructor(
    options: PoolOptions,
    slots: Slots<C>,
    server: ServerConnectionLimit,
    line: QueueView,
    onLate: (nowMs: number) => void,
  ) {
    this.#options = options;
    this.#slots = slots;
    this.#server = server;
    this.#queue = line;
    this.#timer = new EarliestTimer((nowMs) => {
      onLate(nowMs);
      return Number.POSITIVE_INFINITY;
    });
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

  /**
   * A login should begin for those who wait: they are more than connections are being opened, pinged or reset for, and
   * an overflow connection would be worth it. If it is not yet, `onLate` is called when it may be.
   */
  needsLogin(nowMs: number): boolean {
    const waiting = this.inLine - this.#slots.onTheirWay;
    if (waiting <= 0) return false;
    if (this.#slots.size - this.#slots.count('closing') < this.#options.size) return true;
    if (this.overflow.isWaitLongerThanLogin(waiting, this.#slots.count('checked-out'))) return true;
    const lateAtMs = (this.#queue.headSinceMs ?? nowMs) + this.overflow.loginMs;
    if (nowMs >= lateAtMs) return true;
    this.#timer.setFor(lateAtMs);
    return false;
  }

  /** The pool should open one more, and may. */
  shouldOpen(nowMs: number): boolean {
    if (this.#slots.size >= this.#cap) return false;
    return this.needsLogin(nowMs) || this.#isProbeDue || this.#isBelowMinIdle || this.#isSuccessorDue;
  }

  /** Once nobody waits any more. */
  stop(): void {
    this.#timer.stop();
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
