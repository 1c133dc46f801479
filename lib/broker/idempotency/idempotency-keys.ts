import { type CallScope, delay } from '../../async/interruptible.ts';
import { BrokerError } from '../../errors.ts';
import type { MysqlConnection } from '../../mysql/connection/mysql-connection.ts';
import type { SqlMode } from '../../mysql/sql/lexer/sql-mode.ts';
import type { Transaction, TransactionMode } from '../../mysql/transaction/transaction.ts';
import { inTransaction } from '../../mysql/transaction/with-transaction.ts';
import type { IdempotencySettings } from '../../settings/settings.ts';
import type { IdempotentRequest } from './idempotent-request.ts';
import { KeyMutex } from './key-mutex.ts';
import { KeyTable, toStoredAnswer } from './key-table.ts';

/** Before the key is asked for again: several that wait for it can end up in a deadlock. */
const LONGEST_PAUSE_MS = 40;

/** What a call with a key does. */
export interface IdempotentWork {
  readonly mode: TransactionMode;
  readonly watched: CallScope;
  /** Borrows a connection. */
  onConnection<T>(use: (connection: MysqlConnection) => Promise<T>): Promise<T>;
  /** Returns the answer as JSON. */
  work(transaction: Transaction): Promise<Buffer>;
}

export interface OnceAnswer {
  readonly body: string | Buffer;
  /** It is what an earlier call with this key was answered. */
  readonly isReplay: boolean;
}

/**
 * Runs calls with a key once, however often they are sent and to however many brokers: the key, the work and the
 * answer are committed together, or none of them is.
 */
export class IdempotencyKeys {
  readonly table: KeyTable;
  /** When a key came last, on the monotonic clock. */
  usedAtMs = 0;
  readonly #turns = new KeyMutex();

  constructor(settings: IdempotencySettings, sqlMode: SqlMode) {
    this.table = new KeyTable(settings, sqlMode);
  }

  /**
   * @throws {BrokerError} IDEMPOTENCY_IN_PROGRESS: another call with this key ran for as long as this could wait.
   *   IDEMPOTENCY_MISMATCH: the key was another request's. Or what the work fails with, which leaves no key.
   */
  async runOnce(call: IdempotentRequest, work: IdempotentWork): Promise<OnceAnswer> {
    this.usedAtMs = performance.now();
    return await this.#turns.take(
      `${call.caller} ${call.key}`,
      work.watched,
      async () => await work.onConnection(async (connection) => await this.#settle(connection, call, work)),
    );
  }

  async #settle(
    connection: MysqlConnection,
    call: IdempotentRequest,
    work: IdempotentWork,
  ): Promise<OnceAnswer> {
    for (;;) {
      try {
        const answer = await this.#attempt(connection, call, work);
        if (answer !== undefined) return answer;
      } catch (error) {
        const isInProgress = error instanceof BrokerError && error.code === 'IDEMPOTENCY_IN_PROGRESS';
        const { deadline } = work.watched;
        if (!isInProgress || deadline.remainingMs < LONGEST_PAUSE_MS) throw error;
        await delay(Math.random() * LONGEST_PAUSE_MS);
      }
    }
  }

  /** undefined: what stood in the way is gone. */
  async #attempt(
    connection: MysqlConnection,
    call: IdempotentRequest,
    { mode, watched, work }: IdempotentWork,
  ): Promise<OnceAnswer | undefined> {
    const done = await inTransaction(connection, mode, watched, async (transaction) => {
      const claim = await this.table.claim(transaction, call, watched);
      if (claim !== 'claimed') return claim;
      transaction.hideLast();
      const body = await work(transaction);
      await this.table.store(transaction, call, toStoredAnswer(body), watched);
      return { body, isReplay: false };
    });
    if (done === 'table_is_missing') await this.table.create(connection, watched);
    else if (done === 'expired') await this.table.removeExpired(connection, call, watched);
    else if ('body' in done) return done;
    else if (done.requestHash === call.requestHash) return { body: done.answer, isReplay: true };
    else throw new BrokerError('IDEMPOTENCY_MISMATCH', 'This idempotency key was used for another request');
    return undefined;
  }
}
