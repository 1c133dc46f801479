import { BrokerError } from '../errors.ts';
import { poolTimeout, queueFull } from './checkout-failures.ts';
import type { CheckoutOptions } from './checkout-options.ts';
import { closeReason } from './close-reason.ts';
import type { Connection, Connector } from './connection.ts';
import type { Deadline } from './deadline.ts';
import { Demand } from './demand.ts';
import { Lender } from './lender.ts';
import type { Borrower } from './loan.ts';
import type { PoolEntry } from './pool-entry.ts';
import { PoolEvents } from './pool-events.ts';
import type { PoolOptions } from './pool-options.ts';
import { type PoolStats, poolStats } from './pool-stats.ts';
import type { PooledConnection } from './pooled-connection.ts';
import { ServerCap } from './server-cap.ts';
import { Slots } from './slots.ts';
import { throwIfStopped } from './stop.ts';
import { Upkeep } from './upkeep.ts';
import { WaiterQueue } from './waiter-queue.ts';

/**
 * A queue pool with the semantics of SQLAlchemy's: `size` connections are kept open, `maxOverflow` more are
 * opened under load and closed on checkin, callers beyond that wait in line.
 *
 * A caller waits for the pool, not for a connection of its own: whatever becomes ready first goes to the head of
 * the line. `size + maxOverflow` holds at every moment, as the server counts.
 */
export class QueuePool<C extends Connection> {
  readonly events = new PoolEvents();
  readonly #options: PoolOptions;
  readonly #server: ServerCap;
  readonly #slots: Slots<C>;
  readonly #waiters: WaiterQueue<PooledConnection<C>>;
  readonly #demand: Demand<C>;
  readonly #upkeep: Upkeep<C>;
  readonly #lender: Lender<C>;
  readonly #onEnd: (() => void)[] = [];

  /** Opens nothing: the first checkout does. */
  constructor(connector: Connector<C>, options: PoolOptions, server = new ServerCap()) {
    this.#options = options;
    this.#server = server;
    this.#waiters = new WaiterQueue({
      timeoutMs: options.checkoutTimeoutMs,
      overdue: (waitedMs) => {
        return poolTimeout(this.stats(), server, waitedMs, this.#slots.gate.lastError);
      },
      onGivenUp: (waitedMs, error) => this.events.emit('timeout', { waitedMs, error }),
      onRejected: (waitedMs, error) => this.events.emit('refused', { waitedMs, error }),
    });
    this.#slots = new Slots(connector, options, server, this.events, {
      onReady: (entry, nowMs) => this.#offer(entry, nowMs),
      onRoom: () => this.#serve(),
      isUrgent: () => this.#demand.isUrgent,
      onDown: (error) => this.#waiters.rejectAll(error),
    });
    this.#demand = new Demand(options, this.#slots, server, this.#waiters);
    this.#upkeep = new Upkeep(this.#slots, options, this.events);
    this.#lender = new Lender(this.events, (entry, nowMs) => {
      this.#slots.heedChangeOfRole(entry);
      this.#offer(entry, nowMs, entry.connection.needsReset);
    });
  }

  /**
   * Checks out a connection, waiting in line if none is ready.
   *
   * @throws {BrokerError} POOL_TIMEOUT: none came free in time. DEADLINE_EXCEEDED: the caller's own deadline passed
   *   first. QUEUE_FULL: too many are in line. DRAINING: the pool takes no more work.
   *   Or the connector's error: nothing is open, and connecting fails.
   */
  checkout(options: CheckoutOptions = {}): Promise<PooledConnection<C>> {
    // Not an async function: its promise around the one that waits in line would make a wait a fifth dearer.
    try {
      throwIfStopped(options.signal);
      if (!this.#demand.isOpen) throw new BrokerError('DRAINING', 'The pool takes no more work');
      const { caller = '', purpose, takesUsed = false } = options;
      const borrower = { caller, purpose };
      const pooled = this.#lendIdle(borrower, takesUsed);
      return pooled === undefined ? this.#standInLine(borrower, options) : Promise.resolve(pooled);
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
    this.#serve();
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
      this.#waiters.rejectAll(new BrokerError('DRAINING', 'The pool was closed'));
      this.#slots.destroyAll();
      this.#end();
    }, deadline.remainingMs);
    for (const entry of this.#slots.idle)
      if (entry.place === 'idle') void this.#slots.close(entry, 'drained');
    this.#serve();
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
  #lendIdle(borrower: Borrower, takesUsed: boolean): PooledConnection<C> | undefined {
    if (this.#waiters.size > 0 || this.#demand.isPaused) return undefined;
    const entry = this.#slots.nextIdle(takesUsed);
    if (entry === undefined) return undefined;
    // One look at the clock serves all that is asked of the connection: each costs a tenth of a checkout.
    const nowMs = performance.now();
    return this.#isReady(entry, takesUsed, nowMs) ? this.#lend(entry, borrower, 0, nowMs) : undefined;
  }

  /** @throws {BrokerError} If waiting is no use, or the line is full. */
  #standInLine(borrower: Borrower, options: CheckoutOptions): Promise<PooledConnection<C>> {
    const { isDown, mayConnect, gate } = this.#slots;
    if (isDown && !mayConnect && !this.#demand.isPaused) throw gate.lastError;
    this.#makeRoom(borrower.caller);
    if (this.#waiters.size === 0) this.#slots.gate.startLine();
    const waiting = this.#waiters.wait(borrower, options);
    this.#serve();
    return waiting;
  }

  /** @throws {BrokerError} QUEUE_FULL, unless somebody with more calls in line has one refused in place of this. */
  #makeRoom(caller: string): void {
    const { maxWaiting } = this.#options;
    if (this.#waiters.size < maxWaiting) return;
    const actual = this.#demand.lineWithOneMore;
    if (actual <= maxWaiting) return;
    const refusal = () => queueFull(this.#options, this.stats(), actual);
    if (!this.#waiters.makeRoomFor(caller, refusal)) throw refusal();
  }

  #isReady(entry: PoolEntry<C>, takesUsed: boolean, nowMs: number): boolean {
    if (entry.isUsed && !takesUsed) return false;
    return (
      !entry.needsPing(this.#options, nowMs) && this.#slots.staleReason(entry, true, nowMs) === undefined
    );
  }

  #lend(entry: PoolEntry<C>, borrower: Borrower, waitedMs: number, nowMs: number): PooledConnection<C> {
    this.#slots.lend(entry);
    this.#replaceInTime(entry, nowMs);
    return this.#lender.lend(entry, borrower, waitedMs, nowMs);
  }

  /** So that a successor is open when this connection comes back for the last time. */
  #replaceInTime(entry: PoolEntry<C>, nowMs: number): void {
    if (!entry.isRetiring(nowMs) || entry.isReplaced) return;
    entry.isReplaced = this.#demand.hasRoomForSuccessor && this.#slots.open(false);
  }

  /** A connection is ready: the head of the line takes it, or the idle store, or it is one too many. */
  #offer(entry: PoolEntry<C>, nowMs: number, needsReset = false): void {
    const reason = closeReason(entry, this.#slots, this.#server, this.#demand, nowMs);
    const isUnfitForHead = entry.isUsed && this.#waiters.headTakesUsed === false;
    if (reason !== undefined) void this.#slots.close(entry, reason);
    else if (needsReset || isUnfitForHead) void this.#slots.reset(entry);
    else if (!this.#demand.isWanted) this.#keep(entry);
    else this.#serveHead(entry, nowMs);
  }

  #serveHead(entry: PoolEntry<C>, nowMs: number): void {
    const head = this.#waiters.next();
    head?.resolve(this.#lend(entry, head.borrower, nowMs - head.sinceMs, nowMs));
  }

  #keep(entry: PoolEntry<C>): void {
    this.#slots.keep(entry);
    this.#upkeep.heed(entry);
    if (this.#slots.renewal.isUnderWay) this.#serve();
  }

  /** Sees to it that for everybody in line a connection is on its way, as far as the cap allows. */
  #serve(): void {
    // A login or a reset that began before may hang, so an idle connection does not wait for it.
    let underWay = this.#slots.count('pinging');
    let entry = this.#nextForHead();
    while (entry !== undefined && this.#demand.inLine > underWay) {
      const nowMs = performance.now();
      const isStale = this.#slots.staleReason(entry, true, nowMs) !== undefined;
      if (entry.needsPing(this.#options, nowMs) && !isStale) void this.#slots.ping(entry);
      else this.#offer(entry, nowMs);
      if (entry.place === 'pinging' || entry.place === 'resetting') underWay += 1;
      entry = this.#nextForHead();
    }
    while (this.#demand.isShort) if (!this.#slots.open(this.#demand.isUrgent)) break;
    if (!this.#demand.isOpen && this.#slots.size === 0 && this.#waiters.size === 0) this.#end();
  }

  #end(): void {
    this.#waiters.stop();
    for (const resolve of this.#onEnd) resolve();
  }

  /** The idle slot for the head of the line, or for anybody. */
  #nextForHead(): PoolEntry<C> | undefined {
    return this.#slots.nextIdle(this.#waiters.headTakesUsed ?? true);
  }
}
