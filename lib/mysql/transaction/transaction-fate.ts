import { BrokerError, type Outcome } from '../../errors.ts';
import { within } from '../../pool/connection.ts';
import type { MysqlConnection } from '../connection/mysql-connection.ts';
import { isServerError } from '../errors.ts';
import type { BoundStatement } from '../sql/binding/bind.ts';
import { endOf, type ImplicitEnd, implicitlyEnded, ROLLED_BACK } from './transaction-end.ts';
import { type FoundEnd, TransactionMonitor } from './transaction-monitor.ts';

/** If the server does not answer the broker's statements within this time, the connection is closed. */
const ANSWER_TIMEOUT_MS = 5_000;

type Statement = Pick<BoundStatement, 'mayEndTransaction'>;

/** Finds out whether a transaction is still open after each statement. */
export class TransactionFate {
  readonly #connection: MysqlConnection;
  readonly #monitor: TransactionMonitor;
  #implicitEnd: ImplicitEnd | undefined;

  /** @param isFirst see {@link TransactionMonitor}. */
  constructor(connection: MysqlConnection, isFirst: boolean) {
    this.#connection = connection;
    this.#monitor = new TransactionMonitor(connection, isFirst);
  }

  /** The transaction has begun just now. */
  begin(): void {
    this.#monitor.begin();
  }

  /** Set once it has ended by itself. */
  get implicitEnd(): ImplicitEnd | undefined {
    return this.#implicitEnd;
  }

  /** Like `findOut`, after a failure. Returns the outcome: `not_applied` while the transaction is not committed. */
  async findOutAfterFailure(error: unknown, statement: Statement): Promise<Outcome> {
    const { mayEndTransaction } = statement;
    const isEnded = error instanceof BrokerError && error.transaction === 'ended';
    // Its holder has ended it: there is nothing to find out.
    if (isEnded && !mayEndTransaction && this.#connection.isUsable) return 'not_applied';
    if (this.#connection.isUsable && isDeadlock(error) && !mayEndTransaction) {
      this.#implicitEnd = { reason: 'deadlock', outcome: 'not_applied' };
    } else if (this.#connection.isUsable) {
      await this.findOut(statement, error).catch(() => undefined);
    }
    if (!this.#connection.isUsable) {
      this.#implicitEnd ??= {
        reason: 'connection_lost',
        outcome: mayEndTransaction ? 'unknown' : 'not_applied',
      };
    }
    return this.#implicitEnd?.outcome ?? 'not_applied';
  }

  /** Finds out whether the transaction is still open, and its outcome if it is not. */
  async findOut({ mayEndTransaction }: Statement, failure?: unknown): Promise<void> {
    let found: FoundEnd | undefined;
    try {
      found = await this.#bounded(async () => {
        const isKnown =
          failure === undefined || (await this.#connection.state.refreshStatus(mayEndTransaction));
        return isKnown ? await this.#monitor.check(mayEndTransaction) : 'unclear';
      });
    } catch (error) {
      if (!isServerError(error)) throw this.#lost(error, mayEndTransaction);
      found = 'unclear';
    }
    if (found === undefined) return;
    // A statement that runs nothing else has done nothing after that.
    const isAllRolledBack = failure !== undefined && !mayEndTransaction;
    this.#implicitEnd = isAllRolledBack ? ROLLED_BACK : endOf(found, isDeadlock(failure));
  }

  /** Runs a statement of the broker. */
  async command(sql: string): Promise<void> {
    try {
      await this.#bounded(() => this.#connection.command(sql));
    } catch (error) {
      if (!isServerError(error)) throw this.#lost(error, false);
      // Its purpose cannot be guaranteed any more.
      this.#implicitEnd = ROLLED_BACK;
      throw implicitlyEnded(ROLLED_BACK).with({ outcome: 'not_applied' });
    }
  }

  /** Without an answer in time the connection is closed; a server's error leaves it open. */
  async #bounded<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await within(ANSWER_TIMEOUT_MS, run());
    } catch (error) {
      if (!isServerError(error)) this.#connection.destroy();
      throw error;
    }
  }

  #lost(cause: unknown, mayEndTransaction: boolean): BrokerError {
    this.#implicitEnd = { reason: 'connection_lost', outcome: mayEndTransaction ? 'unknown' : 'not_applied' };
    return new BrokerError('CONNECTION_LOST', 'The connection to the database was lost', {
      outcome: this.#implicitEnd.outcome,
      transaction: 'ended',
      cause,
    });
  }
}

function isDeadlock(error: unknown): boolean {
  return error instanceof BrokerError && error.code === 'DEADLOCK';
}
