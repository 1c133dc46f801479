import { BrokerError } from '../../errors.ts';
import { Transaction, type TransactionMode } from '../../mysql/transaction/transaction.ts';
import type { Database } from '../databases/pool-registry.ts';
import { newTransactionId } from '../peers/broker-id.ts';
import { SharesByAlias } from '../requests/fair-shares.ts';
import type { SqlRequest } from '../requests/sql-request.ts';
import { Lease } from './lease.ts';
import type { EndReason } from './lease-end.ts';

type OnLeaseEnd = (lease: Lease, reason: EndReason) => void;

/** The open transactions of this broker, and those that ended a while ago, so that late calls hear why. */
export class LeaseRegistry {
  readonly #taskName: string;
  readonly #listeners: OnLeaseEnd[] = [];
  readonly #leases = new Map<string, Lease>();
  /** Of leases, those that are being begun included. */
  readonly #shares = new SharesByAlias();

  /** @param taskName of this broker, for the ids. */
  constructor(taskName: string) {
    this.#taskName = taskName;
  }

  /** Tells of every end. */
  onEnd(listener: OnLeaseEnd): void {
    this.#listeners.push(listener);
  }

  openCount(alias: string): number {
    return this.#shares.of(alias).total;
  }

  /**
   * Begins a transaction on a connection of its own.
   *
   * @throws {BrokerError} TOO_MANY_TRANSACTIONS, or what the checkout or the begin fails with.
   */
  async begin(database: Database, mode: TransactionMode, call: SqlRequest): Promise<Lease> {
    const { alias, settings, pool, isShared } = database;
    const { maxOpen, idleTimeoutMs, lifetimeMs } = settings.transactions;
    const refusal = this.#shares.of(alias).take(call.caller, { max: maxOpen, isShared });
    if (refusal !== undefined) {
      const { max, actual, own } = refusal;
      throw new BrokerError(
        'TOO_MANY_TRANSACTIONS',
        `At most ${maxOpen} transactions may be open at a time, shared fairly by the callers; ${own} are this caller's`,
        { limit: { name: 'maxOpen', max, actual }, details: { own } },
      );
    }
    try {
      const pooled = await pool.checkout(call);
      try {
        const transaction = await Transaction.begin(pooled.connection, mode, call);
        const id = newTransactionId(this.#taskName);
        const times = { idleTimeoutMs, lifetimeMs, commitTimeoutMs: settings.limits.queryTimeoutMs };
        const lease = new Lease(
          { id, caller: call.caller, alias, purpose: call.purpose },
          pooled,
          transaction,
          times,
          (ended, reason) => {
            this.#ended(ended, reason, lifetimeMs);
          },
        );
        this.#leases.set(id, lease);
        return lease;
      } catch (error) {
        pooled.checkin();
        throw error;
      }
    } catch (error) {
      this.#shares.of(alias).giveBack(call.caller);
      throw error;
    }
  }

  /** @throws {BrokerError} TRANSACTION_NOT_FOUND: never was, is long over, or is another caller's. */
  get(id: string, caller: string): Lease {
    const lease = this.#leases.get(id);
    if (lease === undefined || lease.identity.caller !== caller) {
      throw new BrokerError('TRANSACTION_NOT_FOUND', 'There is no such transaction');
    }
    return lease;
  }

  /** Rolls back whatever is open. */
  endAll(reason: EndReason): void {
    for (const lease of this.#leases.values()) lease.end(reason);
  }

  #ended(lease: Lease, reason: EndReason, rememberedMs: number): void {
    const { alias, caller } = lease.identity;
    this.#shares.of(alias).giveBack(caller);
    setTimeout(() => this.#leases.delete(lease.identity.id), rememberedMs).unref();
    for (const listener of this.#listeners) listener(lease, reason);
  }
}
