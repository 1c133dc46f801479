import type { Connection } from '../connection.ts';
import type { PoolEvents } from '../pool-events.ts';
import type { PoolOptions } from '../pool-options.ts';
import type { PoolSizing } from '../sizing.ts';
import { Retirement } from './retirement.ts';
import type { Slot } from './slot.ts';
import type { Slots } from './slots.ts';

const SHORTEST_INTERVAL_MS = 100;
const LONGEST_INTERVAL_MS = 30_000;
/** Half of the 100 ms that are promised: the process may be busy. */
const LONGEST_UNRESET_MS = 50;
const HEARD_OF_JUST_NOW_MS = 1_000;

/**
 * Looks after the slots from time to time: closes what has been idle for too long, keeps the rest of the idle ones
 * alive, and tells of borrowers that hold one for too long. What is too old has a time of its own.
 */
export class PoolMaintenance<C extends Connection> {
  readonly #slots: Slots<C>;
  readonly #options: PoolOptions;
  readonly #events: PoolEvents;
  readonly #timer: NodeJS.Timeout;
  readonly #retirement: Retirement<C>;
  #resetTimer: NodeJS.Timeout | undefined;
  /** A login is under way that nobody waits for. */
  #isProbing = false;

  constructor(slots: Slots<C>, options: PoolOptions, events: PoolEvents) {
    this.#slots = slots;
    this.#options = options;
    this.#events = events;
    this.#retirement = new Retirement(slots, options);
    events.on('connect', () => {
      // The pool decides first who takes it.
      if (this.#isProbing) queueMicrotask(() => this.#closeProbe());
      this.#isProbing = false;
    });
    events.on('connect_failed', () => {
      this.#isProbing = false;
    });
    const { idleTimeoutMs, recycleAfterMs, keepAliveMs, heldTooLongMs } = options;
    const shortestMs = Math.min(idleTimeoutMs, recycleAfterMs, keepAliveMs, heldTooLongMs);
    this.#timer = setInterval(
      () => this.#round(),
      Math.min(LONGEST_INTERVAL_MS, Math.max(SHORTEST_INTERVAL_MS, shortestMs / 2)),
    ).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#resetTimer);
    this.#retirement.stop();
  }

  /** This connection is idle now. */
  heed(slot: Slot<C>): void {
    if (slot.isUsed) this.#resetSoon();
    this.#retirement.heed(slot);
  }

  /** An idle connection was not reset: no such shall lie there for long. */
  #resetSoon(): void {
    this.#resetTimer ??= setTimeout(() => {
      this.#resetTimer = undefined;
      for (const slot of this.#slots.idle) {
        if (slot.state === 'idle' && slot.isUsed) void this.#slots.reset(slot);
      }
    }, LONGEST_UNRESET_MS).unref();
  }

  /**
   * Pings an idle connection, unless one was heard of just now, or logs in where nothing is open. What was opened for
   * this alone is closed at once, so that a pool that nobody uses keeps nothing open.
   */
  probe({ isOpen, isPaused, hasWaiters }: PoolSizing<C>): void {
    if (!isOpen || isPaused || hasWaiters || this.#slots.onTheirWay > 0) return;
    const nowMs = performance.now();
    const [slot, ...others] = this.#slots.idle;
    if (slot === undefined) {
      this.#isProbing = this.#slots.size === 0 && this.#slots.open(false);
    } else if ([slot, ...others].every((idle) => idle.silentMs(nowMs) > HEARD_OF_JUST_NOW_MS)) {
      void this.#slots.ping(slot);
    }
  }

  #closeProbe(): void {
    const [slot] = this.#slots.idle;
    if (slot === undefined || this.#slots.size > 1 || this.#options.minIdle > 0) return;
    if (slot.state === 'idle') void this.#slots.close(slot, 'idle');
  }

  #round(): void {
    this.#slots.renewal.tryAgain();
    for (const slot of this.#slots.idle) if (slot.state === 'idle') this.#maintainIdle(slot);
    for (const slot of this.#slots.all) this.#reportLongHeld(slot);
  }

  #maintainIdle(slot: Slot<C>): void {
    const { keepAliveMs } = this.#options;
    const stale = this.#slots.staleReason(slot, false, performance.now());
    if (stale === 'recycled') this.#retirement.tryAgain();
    else if (stale !== undefined) void this.#slots.close(slot, stale);
    else if (this.#mayClose(slot)) {
      void this.#slots.close(slot, 'idle');
    } else if (slot.silentMs(performance.now()) > keepAliveMs) void this.#slots.ping(slot);
  }

  #mayClose({ idleMs }: Slot<C>): boolean {
    const { idleTimeoutMs, minIdle } = this.#options;
    return idleMs > idleTimeoutMs && this.#slots.count('idle') > minIdle && !this.#slots.gate.isRefused;
  }

  #reportLongHeld({ checkout }: Slot<C>): void {
    if (checkout === undefined || checkout.isOverdue) return;
    const heldMs = performance.now() - checkout.sinceMs;
    if (heldMs < this.#options.heldTooLongMs) return;
    checkout.isOverdue = true;
    this.#events.emit('held_too_long', { heldMs, ...checkout.holder });
  }
}
