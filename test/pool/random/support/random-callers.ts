import { expect, vi } from 'vitest';
import { Deadline } from '../../../../lib/async/deadline.ts';
import { BrokerError } from '../../../../lib/errors.ts';
import type { PooledConnection } from '../../../../lib/pool/pooled-connection.ts';
import type { QueuePool } from '../../../../lib/pool/queue-pool.ts';
import { FakeConnectError, type FakeConnection, type FakeConnector } from '../../support/fake-connector.ts';

interface Bounds {
  readonly size: number;
  readonly maxOverflow: number;
  readonly isShared: boolean;
  readonly maxPipelined: number;
}

/** A call from its arrival until it has checked in. */
interface Call {
  readonly caller: string;
  readonly sharesAs: string | undefined;
  readonly deadline: Deadline | undefined;
  readonly hangUp: AbortController;
  readonly isRepeat: boolean;
}

interface Borrowed {
  readonly arrival: number;
  readonly call: Call;
  readonly pooled: PooledConnection<FakeConnection>;
  /** Of those who share the connection, as whose it counts. */
  readonly isFirst: boolean;
}

/** Callers of a pool who come, hold, give back and hang up, and see to it that the pool keeps its promises. */
export class RandomCallers {
  readonly pool: QueuePool<FakeConnection>;
  readonly connector: FakeConnector;
  readonly #bounds: Bounds;
  /** By order of arrival. */
  readonly #inLine = new Map<number, Call>();
  readonly #borrowed: Borrowed[] = [];
  readonly #hungUp = new Error('the caller hung up');
  #arrivals = 0;
  #proofsBefore = 0;
  /** Promises that were seen broken when nobody could be told. */
  readonly #complaints: string[] = [];

  constructor(pool: QueuePool<FakeConnection>, connector: FakeConnector, bounds: Bounds) {
    this.pool = pool;
    this.connector = connector;
    this.#bounds = bounds;
    pool.events.on('timeout', ({ error }) => this.#checkFigures(error));
    pool.events.on('refused', ({ error }) => this.#checkFigures(error));
    pool.events.on('close', ({ reason }) => {
      if (reason !== 'superseded') return;
      const isProven = connector.proofs + connector.loginsInNewestWay > this.#proofsBefore;
      const open = connector.opened.filter(({ isCounted, isUsable }) => isCounted && isUsable).length;
      if (open <= 1 && !isProven) this.#complaints.push('the last connection went unproven');
    });
  }

  /** Newer credentials become known than those of all connections. */
  supersede(): void {
    for (const connection of this.connector.opened) connection.isOutdated = true;
    this.#proofsBefore = this.connector.proofs + this.connector.loginsInNewestWay;
    this.pool.supersede('random');
  }

  /** Callers whose checkout has neither succeeded nor failed. */
  get pending(): number {
    return this.#inLine.size;
  }

  checkout(caller: string, deadlineMs: number | undefined, sharesAs: string | undefined): void {
    const arrival = this.#arrivals;
    this.#arrivals += 1;
    const deadline = deadlineMs === undefined ? undefined : Deadline.after(deadlineMs);
    this.#ask(arrival, { caller, sharesAs, deadline, hangUp: new AbortController(), isRepeat: false });
  }

  checkin(pick: number): void {
    const [borrowed] = this.#borrowed.splice(pick % this.#borrowed.length, 1);
    borrowed?.pooled.checkin();
    borrowed?.pooled.checkin();
  }

  checkinAll(): void {
    for (const { pooled } of this.#borrowed.splice(0)) pooled.checkin();
  }

  /** One of those who share a connection is stopped: those behind it ask again, alone. */
  stopOne(pick: number): void {
    const connection = this.#borrowed[pick % this.#borrowed.length]?.pooled.connection;
    const sharing = this.#borrowed.filter(({ pooled }) => pooled.connection === connection);
    if (connection === undefined || sharing.length < 2) return;
    const behind = sharing.slice(1 + (pick % (sharing.length - 1)));
    if (pick % 2 === 0) connection.isUsable = false;
    for (const borrowed of behind) {
      const { arrival, call, pooled } = borrowed;
      this.#borrowed.splice(this.#borrowed.indexOf(borrowed), 1);
      pooled.checkin();
      this.#ask(arrival, { ...call, sharesAs: undefined, isRepeat: true });
    }
  }

  abort(pick: number): void {
    [...this.#inLine.values()][pick % this.#inLine.size]?.hangUp.abort(this.#hungUp);
  }

  /** One of the connections that the peer counts. */
  open(pick: number): FakeConnection | undefined {
    const open = this.connector.opened.filter(({ isCounted }) => isCounted);
    return open[pick % open.length];
  }

  spoil(pick: number): void {
    const borrowed = this.#borrowed[pick % this.#borrowed.length];
    if (borrowed !== undefined) borrowed.pooled.connection.isUsable = false;
  }

  /** The world is well again and everybody is done in time: each must have been served or told. */
  async finish(): Promise<void> {
    this.connector.recover();
    this.connector.opensOutdated = 0;
    this.pool.resume();
    for (let round = 0; this.pending + this.#borrowed.length > 0 && round < 40; round += 1) {
      this.checkinAll();
      await vi.advanceTimersByTimeAsync(300);
      this.check();
    }
    await vi.advanceTimersByTimeAsync(10_000);
    expect(this.pending).toBe(0);
    const { checkedOut, opening, closing, idle, connections } = this.pool.stats();
    expect({ checkedOut, opening, closing }).toEqual({ checkedOut: 0, opening: 0, closing: 0 });
    expect(idle).toBe(connections);
    expect(this.pool.downReason).toBeUndefined();
    await vi.advanceTimersByTimeAsync(60_000);
    const kept = this.connector.opened.filter(({ isCounted }) => isCounted);
    expect(kept.filter(({ isOutdated }) => isOutdated)).toEqual([]);
  }

  /** At any moment. In plain code, because `expect` is too slow for so many steps. */
  check(): void {
    const complaint = this.#complaints[0] ?? this.#brokenPromise();
    if (complaint !== undefined) throw new Error(`${complaint}: ${JSON.stringify(this.pool.stats())}`);
  }

  /** What a call is told of the pool is so at that moment. */
  #checkFigures(error: unknown): void {
    const { checkedOut, opening, waiting, paused } = this.pool.stats();
    if (!(error instanceof BrokerError) || !['POOL_TIMEOUT', 'QUEUE_FULL'].includes(error.code)) return;
    const isTrue =
      error.message.includes(`, ${checkedOut} in use`) &&
      error.message.includes('logging in') === opening > 0 &&
      (error.code === 'QUEUE_FULL' || error.message.includes(`; ${waiting} more callers wait`)) &&
      (error.code === 'QUEUE_FULL' || paused === (error.reason === 'The pool is paused'));
    if (!isTrue) this.#complaints.push(`not so: ${error.message} ${error.reason}`);
  }

  #brokenPromise(): string | undefined {
    const stats = this.pool.stats();
    const cap = this.#bounds.size + this.#bounds.maxOverflow;
    const { counted, peak } = this.connector;
    const borrowed = new Set(this.#borrowed.map(({ pooled }) => pooled.connection));
    if (peak > cap || stats.connections > cap) return `the cap is ${cap}, the peer counted ${peak}`;
    if (counted > stats.connections) return `the peer counts ${counted}`;
    if (stats.idle > this.#bounds.size) return 'too many are idle';
    if (Math.min(...Object.values(stats).map(Number)) < 0) return 'a count is negative';
    if (stats.checkedOut < borrowed.size) return `${borrowed.size} are borrowed`;
    const isWrong =
      borrowed.size < this.#borrowed.length && [...borrowed].some((one) => !this.#mayShare(one));
    return isWrong ? 'two share a connection' : undefined;
  }

  #mayShare(connection: FakeConnection): boolean {
    const sharing = this.#borrowed.filter(({ pooled }) => pooled.connection === connection);
    if (sharing.length === 1) return true;
    const sharesAs = sharing[0]?.call.sharesAs;
    if (sharing.length > this.#bounds.maxPipelined || sharesAs === undefined) return false;
    return sharing.every(({ call, pooled }) => call.sharesAs === sharesAs && pooled.isShared);
  }

  #ask(arrival: number, call: Call): void {
    this.#inLine.set(arrival, call);
    this.pool.checkout({ ...call, signal: call.hangUp.signal }).then(
      (pooled) => this.#served(arrival, call, pooled),
      (error: unknown) => this.#refused(arrival, error),
    );
  }

  #refused(arrival: number, error: unknown): void {
    this.#inLine.delete(arrival);
    const isReason = error instanceof BrokerError || error instanceof FakeConnectError;
    if (!isReason && error !== this.#hungUp) this.#complaints.push(`a caller was told: ${String(error)}`);
  }

  #served(arrival: number, call: Call, pooled: PooledConnection<FakeConnection>): void {
    this.#inLine.delete(arrival);
    const { connection, isShared } = pooled;
    const isFirst = !isShared || this.#borrowed.every((other) => other.pooled.connection !== connection);
    this.#borrowed.push({ arrival, call, pooled, isFirst });
    const own = this.#borrowed.filter((other) => other.isFirst && other.call.caller === call.caller).length;
    const { size, maxOverflow, isShared: isFair } = this.#bounds;
    const hasAll = isFair && own > 4 && own === size + maxOverflow;
    if (hasAll && isFirst && !call.isRepeat) this.#complaints.push('a caller has them all');
    if (!connection.isUsable) this.#complaints.push('a connection was unusable');
    if (connection.isDirty && isFirst) this.#complaints.push('a connection was not reset');
    connection.isDirty = true;
    const earlier = [...this.#inLine].filter(
      ([other, { caller, isRepeat }]) =>
        other < arrival && caller === call.caller && !(isRepeat && call.isRepeat),
    );
    if (earlier.length > 0) this.#complaints.push('a caller was overtaken');
  }
}
