import { type CallScope, delay } from '../../async/interruptible.ts';
import { BrokerError } from '../../errors.ts';
import type { MysqlConnection } from '../../mysql/connection/mysql-connection.ts';
import type { SqlMode } from '../../mysql/sql/lexer/sql-mode.ts';
import type { MysqlTransaction, TransactionMode } from '../../mysql/transaction/transaction.ts';
import { inTransaction } from '../../mysql/transaction/with-transaction.ts';
import type { IdempotencySettings } from '../../settings/settings.ts';
import type { IdempotentRequest } from './idempotent-request.ts';
import { KeyMutex } from './key-mutex.ts';
import { KeyTable, toStoredAnswer } from './key-table.ts';

/** Upper bound of the random pause before the key is claimed again: several waiters can deadlock. */
const LONGEST_PAUSE_MS = 40;

/** The work of a call with a key. */
export interface IdempotentWork {
  readonly mode: TransactionMode;
  readonly scope: CallScope;
  /** Checks out a connection for `use`. */
  onConnection<T>(use: (connection: MysqlConnection) => Promise<T>): Promise<T>;
  /** Returns the answer as JSON. */
  work(transaction: MysqlTransaction): Promise<Buffer>;
}

export interface IdempotentAnswer {
  readonly body: string | Buffer;
  /** It is the stored answer of an earlier call with this key. */
  readonly isReplay: boolean;
}

/**
 * Runs calls with a key once, however often they are sent and to however many brokers: the key, the work and the
 * answer are committed together, or none of them is.
 */
export class IdempotencyKeys {
  readonly table: KeyTable;
  /** When the last call with a key came, on the monotonic clock. */
  usedAtMs = 0;
  readonly #mutex = new KeyMutex();

  constructor(settings: IdempotencySettings, sqlMode: SqlMode) {
    this.table = new KeyTable(settings, sqlMode);
  }

  /**
   * @throws {BrokerError} IDEMPOTENCY_IN_PROGRESS: another call with this key still ran when the deadline came.
   *   IDEMPOTENCY_MISMATCH: another request used the key. Or what the work fails with, which stores no key.
   */
  async runOnce(call: IdempotentRequest, work: IdempotentWork): Promise<IdempotentAnswer> {
    this.usedAtMs = performance.now();
    return await this.#mutex.runExclusive(
      `${call.caller} ${call.key}`,
      work.scope,
      async () =>
        await work.onConnection(async (connection) => await this.#runUntilSettled(connection, call, work)),
    );
  }

  async #runUntilSettled(
    connection: MysqlConnection,
    call: IdempotentRequest,
    work: IdempotentWork,
  ): Promise<IdempotentAnswer> {
    for (;;) {
      try {
        const answer = await this.#attempt(connection, call, work);
        if (answer !== undefined) return answer;
      } catch (error) {
        const isInProgress = error instanceof BrokerError && error.code === 'IDEMPOTENCY_IN_PROGRESS';
        const { deadline } = work.scope;
        if (!isInProgress || deadline.remainingMs < LONGEST_PAUSE_MS) throw error;
        await delay(Math.random() * LONGEST_PAUSE_MS);
      }
    }
  }

  /** Undefined: the obstacle is removed, try again. */
  async #attempt(
    connection: MysqlConnection,
    call: IdempotentRequest,
    { mode, scope, work }: IdempotentWork,
  ): Promise<IdempotentAnswer | undefined> {
    const done = await inTransaction(connection, mode, scope, async (transaction) => {
      const claim = await this.table.claim(transaction, call, scope);
      if (claim !== 'claimed') return claim;
      transaction.hideLastStatement();
      const body = await work(transaction);
      await this.table.store(transaction, call, toStoredAnswer(body), scope);
      return { body, isReplay: false };
    });
    if (done === 'table_is_missing') await this.table.create(connection, scope);
    else if (done === 'expired') await this.table.removeExpired(connection, call, scope);
    else if ('body' in done) return done;
    else if (done.requestHash === call.requestHash) return { body: done.answer, isReplay: true };
    else throw new BrokerError('IDEMPOTENCY_MISMATCH', 'This idempotency key was used for another request');
    return undefined;
  }
}
