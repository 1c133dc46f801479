import type { SharedTimeout } from '../../async/shared-timeout.ts';
import { assert } from '../../errors.ts';
import type { Checkout } from '../checkout.ts';
import type { Connection, Connector } from '../connection.ts';
import { within } from '../connection.ts';
import type { CloseReason } from '../pool-events.ts';
import type { PoolOptions } from '../pool-options.ts';

/** A connection bounds its own goodbye; this is for one that forgets to. */
const CLOSE_TIMEOUT_MS = 60_000;
/** Shorter: a caller waits for it, and must have time left for another connection. */
const PING_TIMEOUT_MS = 2_000;
/** Ages are shortened by up to this share, so that connections of one burst do not all retire at once. */
export const RECYCLE_JITTER = 0.1;

/** Where a slot is. `QueuePool` moves it; each place says who may touch the connection. */
export type SlotState =
  /** Logging in. Nobody has it. */
  | 'opening'
  /** In the idle store, open and ready; reset unless `isUsed`. */
  | 'idle'
  /** Being pinged before it is given out. */
  | 'pinging'
  /** With a holder. */
  | 'checked-out'
  /** Being reset after a holder. */
  | 'resetting'
  /** Saying goodbye; the peer still counts it. */
  | 'closing';

/** One slot of the pool, from before its connection opens until its peer has let go. */
export class Slot<C extends Connection> {
  state: SlotState = 'opening';
  /** Set when something made the connection doubtful: it is pinged before it is given out again. */
  isSuspect = false;
  /** It was lent since it was opened or reset. */
  isUsed = false;
  /** While it is checked out. */
  checkout: Checkout | undefined;
  /** Called when the peer has let go of it. */
  onGone: (() => void) | undefined;
  /** A login was begun to take its place. */
  isReplaced = false;
  #connection: C | undefined;
  #generation = 0;
  #retireAtMs = 0;
  #tooOldAtMs = 0;
  #lastUsedAtMs = 0;
  #lastHeardAtMs = 0;

  get connection(): C {
    assert(this.#connection !== undefined, `a slot that is ${this.state} has no connection`);
    return this.#connection;
  }

  get isOpen(): boolean {
    return this.state !== 'closing' && this.#connection?.isUsable === true;
  }

  /** Undefined where it is usable. */
  get unusableReason(): string | undefined {
    return this.#connection?.unusableReason;
  }

  get generation(): number {
    return this.#generation;
  }

  get lastUsedAtMs(): number {
    return this.#lastUsedAtMs;
  }

  /** Since somebody used it. */
  get idleMs(): number {
    return performance.now() - this.#lastUsedAtMs;
  }

  /** Since the peer was last heard of: a ping counts too. */
  silentMs(nowMs: number): number {
    return nowMs - this.#lastHeardAtMs;
  }

  /** Its shortened age, at which it should be replaced. */
  get retireAtMs(): number {
    return this.#retireAtMs;
  }

  /** Old enough to be replaced, though not too old to serve. */
  isRetiring(nowMs: number): boolean {
    return nowMs > this.#retireAtMs;
  }

  /** `generation` is the pool's when the login began: an invalidation during the login catches it too. */
  async open(connector: Connector<C>, generation: number, options: PoolOptions): Promise<C> {
    this.#connection = await connector.open(options.checkoutTimeoutMs);
    const nowMs = performance.now();
    this.#generation = generation;
    this.#tooOldAtMs = nowMs + options.recycleAfterMs;
    this.#retireAtMs = this.#tooOldAtMs - options.recycleAfterMs * RECYCLE_JITTER * Math.random();
    this.#lastUsedAtMs = nowMs;
    this.#lastHeardAtMs = nowMs;
    this.isSuspect = false;
    return this.#connection;
  }

  /**
   * Why this connection must not be given out again, if so. One that is retiring still serves a caller that waits:
   * a login would take longer.
   */
  staleReason(generation: number, isWanted = false, nowMs = performance.now()): CloseReason | undefined {
    if (!this.connection.isUsable) return 'lost';
    if (this.#generation < generation) return 'invalidated';
    return nowMs > (isWanted ? this.#tooOldAtMs : this.#retireAtMs) ? 'recycled' : undefined;
  }

  /** Of a connection that must go whatever its age. */
  get closeReason(): CloseReason {
    return this.connection.isUsable ? 'invalidated' : 'lost';
  }

  needsPing({ prePing, prePingAfterIdleMs }: PoolOptions, nowMs: number): boolean {
    return this.isSuspect || (prePing && this.silentMs(nowMs) > prePingAfterIdleMs);
  }

  markUsed(nowMs: number): void {
    this.#lastUsedAtMs = nowMs;
    this.#lastHeardAtMs = nowMs;
  }

  async ping(): Promise<void> {
    await within(PING_TIMEOUT_MS, this.connection.ping());
    this.isSuspect = false;
    this.#lastHeardAtMs = performance.now();
  }

  /** Wipes what its borrowers left, within the limit. */
  async reset(limit: SharedTimeout, nowMs: number): Promise<void> {
    await limit.race(this.connection.reset(), nowMs);
    this.isUsed = false;
  }

  /** Never rejects: a connection that cannot say goodbye is cut off. */
  async close(): Promise<void> {
    try {
      await within(CLOSE_TIMEOUT_MS, this.connection.close());
    } catch {
      this.destroy();
    }
    this.#connection = undefined;
  }

  /** Never throws: nothing more can be done for a connection than to let it go. */
  destroy(): void {
    try {
      this.#connection?.destroy();
    } catch {
      return;
    }
  }
}
