import { beforeRefusal } from '../../async/before-refusal.ts';
import { AnyCancelSignal, CancelSource } from '../../async/cancellation.ts';
import { Deadline } from '../../async/deadline.ts';
import { type CallScope, waitWithin } from '../../async/interruptible.ts';
import { SerialQueue } from '../../async/serial-queue.ts';
import { assert, BrokerError, type Outcome } from '../../errors.ts';
import type { MysqlConnection } from '../../mysql/connection/mysql-connection.ts';
import type { Transaction } from '../../mysql/transaction/transaction.ts';
import type { ImplicitEnd } from '../../mysql/transaction/transaction-end.ts';
import type { PooledConnection } from '../../pool/pooled-connection.ts';
import { VERDICT_WAIT_MS } from '../../protocol/verdict-times.ts';
import { type EndReason, endByFailure, type LeaseEnd, transactionEnded } from './lease-end.ts';

/** What a lease is known by. */
export interface LeaseIdentity {
  readonly id: string;
  readonly caller: string;
  readonly alias: string;
  /** Of its begin, for the log. */
  readonly purpose: string;
}

/** How long a lease may last. */
export interface LeaseTimes {
  readonly idleTimeoutMs: number;
  readonly lifetimeMs: number;
  /** How long a COMMIT may take, whoever waits for it. */
  readonly commitTimeoutMs: number;
}

/** What an open lease needs, and one that has ended keeps out of memory. */
interface Held {
  readonly pooled: PooledConnection<MysqlConnection>;
  readonly transaction: Transaction;
  /** Stops the statement that runs at the end. */
  readonly stop: CancelSource;
  readonly lifetimeTimer: NodeJS.Timeout;
  readonly stopListening: () => void;
}

/**
 * One open transaction, from its begin to its end over several requests:
 *
 *     open ──▶ committing ──▶ ended: committed, or what the COMMIT failed with
 *       ╰────▶ ended: rolled_back, idle, lifetime, draining (rolled back by us),
 *                     deadlock, connection_lost, implicit_commit (found to be over)
 *
 * `#endWith` is the only way to the end. Calls run one at a time in the order of their arrival; whatever is still in
 * line at the end hears why. The connection goes back once nothing runs on it any more, and what is then still open
 * is rolled back by the pool's reset.
 */
export class Lease {
  readonly identity: LeaseIdentity;
  /** On the wall clock. */
  readonly expiresAt: Date;
  /** For its connection. */
  readonly waitedMs: number;
  readonly #times: LeaseTimes;
  readonly #onEnd: (lease: Lease, reason: EndReason) => void;
  readonly #queue = new SerialQueue();
  #idleTimer: NodeJS.Timeout | undefined;
  /** Until the end. */
  #held: Held | undefined;
  #committing: Promise<void> | undefined;
  #end: LeaseEnd | undefined;

  constructor(
    identity: LeaseIdentity,
    pooled: PooledConnection<MysqlConnection>,
    transaction: Transaction,
    times: LeaseTimes,
    onEnd: (lease: Lease, reason: EndReason) => void,
  ) {
    this.identity = identity;
    this.waitedMs = pooled.waitedMs;
    this.#times = times;
    this.#onEnd = onEnd;
    this.expiresAt = new Date(Date.now() + times.lifetimeMs);
    this.#held = {
      pooled,
      transaction,
      stop: new CancelSource(),
      lifetimeTimer: setTimeout(() => this.end('lifetime'), times.lifetimeMs).unref(),
      stopListening: pooled.connection.onLost(() => {
        // A call that runs finds out by itself, and can tell more.
        if (this.#queue.isQuiet) this.end('connection_lost');
      }),
    };
    this.#startIdling();
  }

  /** Adds to a call's failure whether the transaction goes on. */
  mark(error: unknown): unknown {
    if (!(error instanceof BrokerError) || error.transaction !== undefined) return error;
    return error.with({ transaction: this.#end === undefined ? 'open' : 'ended' });
  }

  /**
   * Runs a call's work when its turn comes.
   *
   * @throws {BrokerError} TRANSACTION_ENDED; QUEUE_FULL: too many calls are in line. DEADLINE_EXCEEDED: the deadline
   *   passed in line. Or what the work fails with, `transaction` telling whether this goes on.
   */
  async run<T>(
    watched: CallScope,
    work: (transaction: Transaction, watched: CallScope) => Promise<T>,
  ): Promise<T> {
    return await this.#inTurn(watched, async () => {
      const { transaction, stop } = this.#heldStill();
      try {
        return await work(transaction, stoppable(watched, stop));
      } finally {
        if (transaction.unaskedEnd !== undefined) this.#found(transaction.unaskedEnd);
      }
    });
  }

  /** Asked again, it answers as the first time. @throws {BrokerError} as `run` does, and what the COMMIT fails with. */
  async commit(watched: CallScope): Promise<void> {
    const committed =
      this.#committing ??
      this.#unlessEnded(
        this.#inTurn(watched, async () => {
          this.#committing = this.#commit(this.#heldStill().transaction);
          await this.#committing;
        }),
      );
    // The COMMIT goes on, whoever waits for it.
    await waitWithin(committed, { ...watched, deadline: watched.deadline.plus(VERDICT_WAIT_MS) }, 'unknown');
    await this.#untilKnown(watched);
    const { reason, outcome, failure } = this.#end ?? {};
    if (failure !== undefined) throw failure;
    if (reason !== 'committed') throw this.#ended(outcome);
  }

  /** Asked again, it answers as the first time, as after every end that rolled back. @throws {BrokerError} as `run`. */
  async rollback(watched: CallScope): Promise<void> {
    await this.#unlessEnded(
      this.#inTurn(watched, async () => {
        await this.#heldStill().transaction.rollback();
        this.end('rolled_back');
      }),
    );
    await this.#untilKnown(watched);
    const { reason, outcome, failure } = this.#end ?? {};
    if (failure?.outcome === 'unknown') throw failure;
    if (reason !== 'rolled_back' && outcome !== 'not_applied') throw this.#ended(outcome);
  }

  /** Ends it without being asked by its caller. A COMMIT that is under way decides for itself. */
  end(reason: EndReason): void {
    if (this.#committing === undefined) this.#endWith({ reason, outcome: 'not_applied' });
  }

  /** A statement that ran has ended the transaction, or did so while it was ended for another reason. */
  #found({ reason, outcome }: ImplicitEnd): void {
    if (this.#end === undefined) this.#endWith({ reason, outcome });
    else if (outcome !== 'not_applied') this.#end = { ...this.#end, outcome };
  }

  /** What still runs at the end may tell more of it. */
  async #untilKnown(watched: CallScope): Promise<void> {
    const deadline = watched.deadline.plus(VERDICT_WAIT_MS);
    await waitWithin(this.#queue.whenQuiet(), { ...watched, deadline }, 'unknown');
  }

  async #commit(transaction: Transaction): Promise<void> {
    try {
      await transaction.commit(Deadline.after(this.#times.commitTimeoutMs));
      this.#endWith({ reason: 'committed', outcome: 'applied' });
    } catch (error) {
      this.#endWith(endByFailure(error));
    }
  }

  async #inTurn<T>(watched: CallScope, work: () => Promise<T>): Promise<T> {
    const { stop } = this.#heldStill();
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    try {
      return await this.#queue.run(stoppable(watched, stop), work);
    } finally {
      if (this.#queue.isQuiet) this.#startIdling();
    }
  }

  /** What fails because of the end is answered by the end. */
  async #unlessEnded(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (this.#end === undefined) throw error;
    }
  }

  #startIdling(): void {
    if (this.#end !== undefined) return;
    const dueAtMs = performance.now() + this.#times.idleTimeoutMs;
    const timer = setTimeout(() => {
      // The next statement may have come while this process was busy.
      beforeRefusal(dueAtMs, () => {
        if (this.#idleTimer === timer) this.end('idle');
      });
    }, this.#times.idleTimeoutMs).unref();
    this.#idleTimer = timer;
  }

  #heldStill(): Held {
    if (this.#held === undefined) throw this.#ended();
    return this.#held;
  }

  #ended(outcome: Outcome = 'not_applied'): BrokerError {
    assert(this.#end !== undefined, 'a transaction that has not ended has ended');
    return transactionEnded(this.#end.reason, outcome);
  }

  #endWith(end: LeaseEnd): void {
    if (this.#held === undefined) return;
    const { pooled, stop, lifetimeTimer, stopListening } = this.#held;
    this.#end = end;
    this.#held = undefined;
    stopListening();
    clearTimeout(this.#idleTimer);
    clearTimeout(lifetimeTimer);
    this.#idleTimer = undefined;
    stop.cancel(this.#ended());
    void this.#queue.whenQuiet().then(() => pooled.checkin());
    this.#onEnd(this, end.reason);
  }
}

/** Interrupted when the caller hangs up or the lease ends. */
function stoppable({ deadline, signal }: CallScope, stop: CancelSource): CallScope {
  return { deadline, signal: signal === undefined ? stop : new AnyCancelSignal(signal, stop) };
}
