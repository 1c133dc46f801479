import { BrokerError } from '../../errors.ts';
import { MysqlTransaction, type TransactionMode } from '../../mysql/transaction/transaction.ts';
import type { Database } from '../databases/pool-registry.ts';
import { newTransactionId } from '../peers/broker-id.ts';
import { SharesByAlias } from '../requests/fair-shares.ts';
import type { SqlRequest } from '../requests/sql-request.ts';
import { Lease } from './lease.ts';
import type { EndReason } from './lease-end.ts';

type OnLeaseEnd = (lease: Lease, reason: EndReason) => void;

/** The transactions of this broker: the open ones, and recently ended ones, so that late calls are told the reason. */
export class LeaseRegistry {
  readonly #brokerId: string;
  readonly #listeners: OnLeaseEnd[] = [];
  readonly #leases = new Map<string, Lease>();
  /** Counts leases, also those whose begin is under way. */
  readonly #shares = new SharesByAlias({
    code: 'TOO_MANY_TRANSACTIONS',
    noun: 'transactions',
    setting: 'maxOpen',
  });

  /** @param brokerId of this broker, for the ids. */
  constructor(brokerId: string) {
    this.#brokerId = brokerId;
  }

  /** `listener` is called for every end. */
  onEnd(listener: OnLeaseEnd): void {
    this.#listeners.push(listener);
  }

  openCount(alias: string): number {
    return this.#shares.total(alias);
  }

  /**
   * Begins a transaction on a connection of its own.
   *
   * @throws {BrokerError} TOO_MANY_TRANSACTIONS, or what the checkout or the begin fails with.
   */
  async begin(database: Database, mode: TransactionMode, call: SqlRequest): Promise<Lease> {
    const { alias, settings, pool, isShared } = database;
    const { maxOpen, idleTimeoutMs, lifetimeMs } = settings.transactions;
    this.#shares.acquire(alias, call.caller, { max: maxOpen, isShared });
    try {
      const pooled = await pool.checkout(call);
      try {
        const transaction = await MysqlTransaction.begin(pooled.connection, mode, call);
        const id = newTransactionId(this.#brokerId);
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
      this.#shares.release(alias, call.caller);
      throw error;
    }
  }

  /** @throws {BrokerError} TRANSACTION_NOT_FOUND: unknown, ended long ago, or another caller's. */
  get(id: string, caller: string): Lease {
    const lease = this.#leases.get(id);
    if (lease === undefined || lease.identity.caller !== caller) {
      throw new BrokerError('TRANSACTION_NOT_FOUND', 'There is no such transaction');
    }
    return lease;
  }

  /** Rolls back every open transaction. */
  endAll(reason: EndReason): void {
    for (const lease of this.#leases.values()) lease.end(reason);
  }

  #ended(lease: Lease, reason: EndReason, rememberedMs: number): void {
    const { alias, caller } = lease.identity;
    this.#shares.release(alias, caller);
    setTimeout(() => this.#leases.delete(lease.identity.id), rememberedMs).unref();
    for (const listener of this.#listeners) listener(lease, reason);
  }
}
