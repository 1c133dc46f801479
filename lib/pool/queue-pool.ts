import { throwIfCanceled } from '../async/cancellation.ts';
import type { Deadline } from '../async/deadline.ts';
import type { CheckoutOptions, Holder } from './checkout.ts';
import { drained, poolTimeout, queueFull } from './checkout-errors.ts';
import type { Connection, Connector } from './connection.ts';
import { ServerConnectionLimit } from './connects/server-limit.ts';
import { PoolEvents } from './pool-events.ts';
import type { PoolOptions } from './pool-options.ts';
import { type PoolStats, poolStats } from './pool-stats.ts';
import { Checkouts, type PooledConnection } from './pooled-connection.ts';
import { PoolSizing } from './sizing.ts';
import { evictionReason } from './slots/eviction.ts';
import { PoolMaintenance } from './slots/maintenance.ts';
import type { Slot } from './slots/slot.ts';
import { Slots } from './slots/slots.ts';
import { ConnectionShares } from './waiters/connection-shares.ts';
import { WaiterQueue } from './waiters/waiter-queue.ts';

/**
 * A queue pool with the semantics of SQLAlchemy's: `size` connections are kept open, `maxOverflow` more are opened under
 * load and closed on checkin, callers beyond that wait in a queue. `size + maxOverflow` holds at every moment, as the
 * server counts. Whatever becomes ready first goes to the head of the queue.
 */
export class QueuePool<C extends Connection> {
  readonly events = new PoolEvents();
  readonly #options: PoolOptions;
  readonly #server: ServerConnectionLimit;
  readonly #slots: Slots<C>;
  readonly #shares: ConnectionShares;
  readonly #waiters: WaiterQueue<PooledConnection<C>>;
  readonly #demand: PoolSizing<C>;
  readonly #upkeep: PoolMaintenance<C>;
  readonly #checkouts: Checkouts<C>;
  readonly #onEnd: (() => void)[] = [];
  #hasEnded = false;

  /** Opens nothing: the first checkout does. */
  constructor(connector: Connector<C>, options: PoolOptions, server = new ServerConnectionLimit()) {
    this.#options = options;
    this.#server = server;
    this.#shares = new ConnectionShares(options.isShared, () => this.#demand.reach);
    this.#waiters = new WaiterQueue(this.#shares, {
      timeoutMs: options.checkoutTimeoutMs,
      overdue: (waitedMs, caller) => {
        const ownShare = this.#shares.mayAcquire(caller) ? undefined : this.#shares.heldBy(caller);
        return poolTimeout(this.stats(), server, waitedMs, this.#slots.gate.lastError, ownShare);
      },
      onGivenUp: (waitedMs, error) => this.events.emit('timeout', { waitedMs, error }),
      onRejected: (waitedMs, error) => this.events.emit('refused', { waitedMs, error }),
    });
    this.#slots = new Slots(connector, options, server, this.events, {
      onReady: (slot, nowMs) => this.#offer(slot, nowMs),
      onRoom: () => this.#serve(performance.now()),
      isUrgent: () => this.#demand.needsLogin(performance.now()),
      onDown: (error) => this.#waiters.rejectAll(error),
    });
    this.#demand = new PoolSizing(options, this.#slots, server, this.#waiters, (nowMs) => this.#serve(nowMs));
    this.#upkeep = new PoolMaintenance(this.#slots, options, this.events);
    this.events.on('connect', ({ durationMs }) => this.#demand.overflow.loginSucceeded(durationMs));
    this.#checkouts = new Checkouts(this.events, this.#shares, (slot, nowMs, heldMs) => {
      this.#demand.overflow.checkoutEnded(heldMs);
      this.#slots.heedChangeOfRole(slot);
      this.#offer(slot, nowMs, slot.connection.needsReset);
    });
  }

  /**
   * Checks out a connection, waiting in line if none is ready.
   *
   * @throws {BrokerError} POOL_TIMEOUT: none came free in time. DEADLINE_EXCEEDED: the caller's own deadline passed
   *   first. QUEUE_FULL: too many are in line. DRAINING: the pool takes no more work. Or why connecting fails.
   */
  checkout(options: CheckoutOptions = {}): Promise<PooledConnection<C>> {
    // Not an async function: its promise around the one that waits in line would make a wait a fifth dearer.
    try {
      throwIfCanceled(options.signal);
      const { caller = '', purpose, takesUsed = false, isRepeat = false } = options;
      if (this.#hasEnded || (!this.#demand.isOpen && !isRepeat)) throw drained();
      const holder = { caller, purpose };
      const pooled = this.#lendIdle(holder, takesUsed);
      return pooled === undefined ? this.#enqueue(holder, options) : Promise.resolve(pooled);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Checks out for the time that `work` takes. */
  async use<T>(work: (connection: C) => Promise<T>, options?: CheckoutOptions): Promise<T> {
    using pooled = await this.checkout(options);
    return await work(pooled.connection);
  }

  /** Declares connections unusable. Idle ones close now, the others when they come back. */
  invalidate(reason: string): void {
    this.#slots.invalidate(reason);
  }

  /** Newer credentials are known: outdated connections go one by one as logins with them succeed, and serve until then. */
  supersede(reason: string): void {
    this.#slots.supersede(reason);
  }

  /** Gives out nothing and opens nothing until `resume`. Calls wait in line, and their deadlines run. */
  pause(): void {
    this.#demand.isPaused = this.#demand.isOpen;
  }

  resume(): void {
    this.#demand.isPaused = false;
    this.#serve(performance.now());
  }

  /**
   * Ends the pool. New checkouts are refused at once; whoever has or waits for a connection is served until the
   * deadline, when everything is cut off. Resolves when nothing is open any more. Of several drains, the
   * earliest deadline rules.
   */
  async drain(deadline: Deadline): Promise<void> {
    this.#demand.isOpen = false;
    this.#demand.isPaused = false;
    this.#upkeep.stop();
    const ended = new Promise<void>((resolve) => {
      this.#onEnd.push(resolve);
    });
    const cutOff = setTimeout(() => {
      this.#waiters.rejectAll(drained());
      this.#slots.destroyAll();
      this.#end();
    }, deadline.remainingMs);
    for (const slot of this.#slots.idle) if (slot.state === 'idle') void this.#slots.close(slot, 'drained');
    this.#serve(performance.now());
    await ended;
    clearTimeout(cutOff);
  }

  /** Finds out whether the peer is there, unless callers are about to. Takes nothing from any of them. */
  probe(): void {
    this.#upkeep.probe(this.#demand);
  }

  stats(): PoolStats {
    return poolStats(this.#options, this.#slots, this.#waiters, this.#demand.isPaused);
  }

  /** Why no connection can be had; undefined while one is open or none was tried. */
  get downReason(): unknown {
    return this.#slots.isDown ? this.#slots.gate.lastError : undefined;
  }

  /** Undefined if the caller must wait: others were first, or nothing is ready. */
  #lendIdle(holder: Holder, takesUsed: boolean): PooledConnection<C> | undefined {
    if (this.#waiters.isAnyServable || this.#demand.isPaused) return undefined;
    if (!this.#shares.mayAcquire(holder.caller)) return undefined;
    const slot = this.#slots.nextIdle(takesUsed);
    if (slot === undefined) return undefined;
    // One look at the clock serves all that is asked of the connection: each costs a tenth of a checkout.
    const nowMs = performance.now();
    if (!this.#isReady(slot, takesUsed, nowMs)) return undefined;
    this.#checkOut(slot, nowMs);
    return this.#checkouts.checkOut(slot, holder, nowMs);
  }

  /** @throws {BrokerError} If waiting is no use, or the line is full. */
  #enqueue(holder: Holder, options: CheckoutOptions): Promise<PooledConnection<C>> {
    const { isDown, mayConnect, gate } = this.#slots;
    if (isDown && !mayConnect && !this.#demand.isPaused) throw gate.lastError;
    if (options.isRepeat !== true) this.#makeRoom(holder.caller);
    if (this.#waiters.size === 0) this.#slots.gate.startLine();
    const waiting = this.#waiters.wait(holder, options);
    this.#serve(this.#waiters.newestSinceMs);
    return waiting;
  }

  /** @throws {BrokerError} QUEUE_FULL, unless somebody with more calls in line has one refused in place of this. */
  #makeRoom(caller: string): void {
    const { maxWaiting } = this.#options;
    if (this.#waiters.size < maxWaiting) return;
    const actual = this.#demand.queueLengthIfJoined;
    if (actual <= maxWaiting) return;
    const refusal = () => queueFull(this.#options, this.stats(), actual);
    if (!this.#waiters.makeRoomFor(caller, refusal)) throw refusal();
  }

  #isReady(slot: Slot<C>, takesUsed: boolean, nowMs: number): boolean {
    if (slot.isUsed && !takesUsed) return false;
    return !slot.needsPing(this.#options, nowMs) && this.#slots.staleReason(slot, true, nowMs) === undefined;
  }

  #checkOut(slot: Slot<C>, nowMs: number): void {
    this.#slots.checkOut(slot);
    this.#replaceInTime(slot, nowMs);
  }

  /** So that a successor is open when this connection comes back for the last time. */
  #replaceInTime(slot: Slot<C>, nowMs: number): void {
    if (!slot.isRetiring(nowMs) || slot.isReplaced) return;
    slot.isReplaced = this.#demand.hasRoomForSuccessor && this.#slots.open(false);
  }

  /** A connection is ready: the head of the line takes it, or the idle store, or it is one too many. */
  #offer(slot: Slot<C>, nowMs: number, needsReset = false): void {
    const reason = evictionReason(slot, this.#slots, this.#server, this.#demand, nowMs);
    const isUnfitForHead = slot.isUsed && this.#waiters.headTakesUsed === false;
    if (reason !== undefined) void this.#slots.close(slot, reason);
    else if (needsReset || isUnfitForHead) void this.#slots.reset(slot);
    else if (!this.#demand.hasWaiters) this.#keep(slot);
    else this.#serveHead(slot, nowMs);
  }

  #serveHead(slot: Slot<C>, nowMs: number): void {
    const [head, ...others] = this.#waiters.nextGroup(this.#slots.size, this.#options.maxPipelined);
    if (head === undefined) return;
    this.#checkOut(slot, nowMs);
    this.#checkouts.serve(slot, head, others, nowMs);
  }

  #keep(slot: Slot<C>): void {
    this.#slots.keep(slot);
    this.#upkeep.heed(slot);
    if (this.#slots.renewal.isUnderWay) this.#serve(performance.now());
  }

  /** Sees to it that for everybody in line a connection is on its way, as far as the cap allows. */
  #serve(nowMs: number): void {
    // A login or a reset that began before may hang, so an idle connection does not wait for it.
    let underWay = this.#slots.count('pinging');
    let slot = this.#nextForHead();
    while (slot !== undefined && this.#demand.hasWaiters && this.#demand.inLine > underWay) {
      const isStale = this.#slots.staleReason(slot, true, nowMs) !== undefined;
      if (slot.needsPing(this.#options, nowMs) && !isStale) void this.#slots.ping(slot);
      else this.#offer(slot, nowMs);
      if (slot.state === 'pinging' || slot.state === 'resetting') underWay += 1;
      slot = this.#nextForHead();
    }
    while (this.#demand.shouldOpen(nowMs)) if (!this.#slots.open(this.#demand.needsLogin(nowMs))) break;
    if (!this.#demand.isOpen && this.#slots.size === 0 && this.#waiters.size === 0) this.#end();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#waiters.stop();
    this.#demand.stop();
    for (const resolve of this.#onEnd) resolve();
  }

  /** The idle slot for the head of the line, or for anybody. */
  #nextForHead(): Slot<C> | undefined {
    return this.#slots.nextIdle(this.#waiters.headTakesUsed ?? true);
  }
}
