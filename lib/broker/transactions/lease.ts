import { beforeRefusal } from '../../async/before-refusal.ts';
import { AnyCancelSignal, CancelSource } from '../../async/cancellation.ts';
import { Deadline } from '../../async/deadline.ts';
import { type CallScope, waitWithin } from '../../async/interruptible.ts';
import { SerialQueue } from '../../async/serial-queue.ts';
import { assert, BrokerError, type Outcome } from '../../errors.ts';
import type { MysqlConnection } from '../../mysql/connection/mysql-connection.ts';
import type { MysqlTransaction } from '../../mysql/transaction/transaction.ts';
import type { ImplicitEnd } from '../../mysql/transaction/transaction-end.ts';
import type { PooledConnection } from '../../pool/pooled-connection.ts';
import { VERDICT_WAIT_MS } from '../../protocol/verdict-times.ts';
import { type EndReason, endByFailure, type LeaseEnd, transactionEnded } from './lease-end.ts';

/** Identifies a lease. */
export interface LeaseIdentity {
  readonly id: string;
  readonly caller: string;
  readonly alias: string;
  /** The request id of its begin, for the log. */
  readonly purpose: string;
}

/** How long a lease may last. */
export interface LeaseTimes {
  readonly idleTimeoutMs: number;
  readonly lifetimeMs: number;
  /** How long a COMMIT may take, even if no call waits for it any more. */
  readonly commitTimeoutMs: number;
}

/** State of an open lease. It is released at the end, since ended leases are remembered for a while. */
interface OpenLease {
  readonly pooled: PooledConnection<MysqlConnection>;
  readonly transaction: MysqlTransaction;
  /** Cancelled at the end: stops the running statement. */
  readonly endSource: CancelSource;
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
 * Only `#endWith` ends it. Calls run one at a time in the order of their arrival; those still queued at the end fail
 * with the reason. The connection is checked in once nothing runs on it any more; the pool's reset then rolls back a
 * transaction that is still open on it.
 */
export class Lease {
  readonly identity: LeaseIdentity;
  /** On the wall clock. */
  readonly expiresAt: Date;
  /** How long it waited for its connection. */
  readonly waitedMs: number;
  readonly #times: LeaseTimes;
  readonly #onEnd: (lease: Lease, reason: EndReason) => void;
  readonly #queue = new SerialQueue();
  #idleTimer: NodeJS.Timeout | undefined;
  /** Undefined after the end. */
  #open: OpenLease | undefined;
  #committing: Promise<void> | undefined;
  #end: LeaseEnd | undefined;

  constructor(
    identity: LeaseIdentity,
    pooled: PooledConnection<MysqlConnection>,
    transaction: MysqlTransaction,
    times: LeaseTimes,
    onEnd: (lease: Lease, reason: EndReason) => void,
  ) {
    this.identity = identity;
    this.waitedMs = pooled.waitedMs;
    this.#times = times;
    this.#onEnd = onEnd;
    this.expiresAt = new Date(Date.now() + times.lifetimeMs);
    this.#open = {
      pooled,
      transaction,
      endSource: new CancelSource(),
      lifetimeTimer: setTimeout(() => this.end('lifetime'), times.lifetimeMs).unref(),
      stopListening: pooled.connection.onLost(() => {
        // A running call notices by itself, and knows the outcome.
        if (this.#queue.isQuiet) this.end('connection_lost');
      }),
    };
    this.#startIdling();
  }

  /** Adds to a call's failure whether the transaction is still open. */
  mark(error: unknown): unknown {
    if (!(error instanceof BrokerError) || error.transaction !== undefined) return error;
    return error.with({ transaction: this.#end === undefined ? 'open' : 'ended' });
  }

  /**
   * Runs a call's work when its turn comes.
   *
   * @throws {BrokerError} TRANSACTION_ENDED; QUEUE_FULL: too many calls are queued. DEADLINE_EXCEEDED: the deadline
   *   passed in the queue. Or what the work fails with; its `transaction` says whether the transaction is open.
   */
  async run<T>(
    scope: CallScope,
    work: (transaction: MysqlTransaction, scope: CallScope) => Promise<T>,
  ): Promise<T> {
    return await this.#inTurn(scope, async () => {
      const { transaction, endSource } = this.#requireOpen();
      try {
        return await work(transaction, cancelable(scope, endSource));
      } finally {
        if (transaction.implicitEnd !== undefined) this.#noteImplicitEnd(transaction.implicitEnd);
      }
    });
  }

  /** Idempotent: a repeat has the same outcome. @throws {BrokerError} as `run` does, and what the COMMIT fails with. */
  async commit(scope: CallScope): Promise<void> {
    const committed =
      this.#committing ??
      this.#unlessEnded(
        this.#inTurn(scope, async () => {
          this.#committing = this.#commit(this.#requireOpen().transaction);
          await this.#committing;
        }),
      );
    // The COMMIT goes on if this caller stops waiting.
    await waitWithin(committed, { ...scope, deadline: scope.deadline.plus(VERDICT_WAIT_MS) }, 'unknown');
    await this.#awaitOutcome(scope);
    const { reason, outcome, failure } = this.#end ?? {};
    if (failure !== undefined) throw failure;
    if (reason !== 'committed') throw this.#ended(outcome);
  }

  /** Idempotent, also after any other end that rolled back. @throws {BrokerError} as `run` does. */
  async rollback(scope: CallScope): Promise<void> {
    await this.#unlessEnded(
      this.#inTurn(scope, async () => {
        await this.#requireOpen().transaction.rollback();
        this.end('rolled_back');
      }),
    );
    await this.#awaitOutcome(scope);
    const { reason, outcome, failure } = this.#end ?? {};
    if (failure?.outcome === 'unknown') throw failure;
    if (reason !== 'rolled_back' && outcome !== 'not_applied') throw this.#ended(outcome);
  }

  /** Ends it without a request of its caller. Does nothing while a COMMIT runs: the COMMIT decides. */
  end(reason: EndReason): void {
    if (this.#committing === undefined) this.#endWith({ reason, outcome: 'not_applied' });
  }

  /** A statement has ended the transaction, perhaps after another reason had ended the lease. */
  #noteImplicitEnd({ reason, outcome }: ImplicitEnd): void {
    if (this.#end === undefined) this.#endWith({ reason, outcome });
    else if (outcome !== 'not_applied') this.#end = { ...this.#end, outcome };
  }

  /** Waits for calls that still run: they may learn more about the outcome. */
  async #awaitOutcome(scope: CallScope): Promise<void> {
    const deadline = scope.deadline.plus(VERDICT_WAIT_MS);
    await waitWithin(this.#queue.whenQuiet(), { ...scope, deadline }, 'unknown');
  }

  async #commit(transaction: MysqlTransaction): Promise<void> {
    try {
      await transaction.commit(Deadline.after(this.#times.commitTimeoutMs));
      this.#endWith({ reason: 'committed', outcome: 'applied' });
    } catch (error) {
      this.#endWith(endByFailure(error));
    }
  }

  async #inTurn<T>(scope: CallScope, work: () => Promise<T>): Promise<T> {
    const { endSource } = this.#requireOpen();
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    try {
      return await this.#queue.run(cancelable(scope, endSource), work);
    } finally {
      if (this.#queue.isQuiet) this.#startIdling();
    }
  }

  /** Ignores a failure that the end of the lease caused: the end itself is the answer. */
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

  #requireOpen(): OpenLease {
    if (this.#open === undefined) throw this.#ended();
    return this.#open;
  }

  #ended(outcome: Outcome = 'not_applied'): BrokerError {
    assert(this.#end !== undefined, 'a transaction that has not ended has ended');
    return transactionEnded(this.#end.reason, outcome);
  }

  #endWith(end: LeaseEnd): void {
    if (this.#open === undefined) return;
    const { pooled, endSource, lifetimeTimer, stopListening } = this.#open;
    this.#end = end;
    this.#open = undefined;
    stopListening();
    clearTimeout(this.#idleTimer);
    clearTimeout(lifetimeTimer);
    this.#idleTimer = undefined;
    endSource.cancel(this.#ended());
    void this.#queue.whenQuiet().then(() => pooled.checkin());
    this.#onEnd(this, end.reason);
  }
}

/** Interrupted when the caller hangs up or the lease ends. */
function cancelable({ deadline, signal }: CallScope, source: CancelSource): CallScope {
  return { deadline, signal: signal === undefined ? source : new AnyCancelSignal(signal, source) };
}
