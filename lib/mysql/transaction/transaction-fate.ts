import { BrokerError, type Outcome } from '../../errors.ts';
import { within } from '../../pool/connection.ts';
import type { MysqlConnection } from '../connection/mysql-connection.ts';
import { isServerError } from '../errors.ts';
import type { BoundStatement } from '../sql/binding/bind.ts';
import { endOf, type ImplicitEnd, implicitlyEnded, ROLLED_BACK } from './transaction-end.ts';
import { type FoundEnd, TransactionMonitor } from './transaction-monitor.ts';

/** A server that answers none of our own questions for so long is given up. */
const ANSWER_TIMEOUT_MS = 5_000;

type Statement = Pick<BoundStatement, 'mayEndTransaction'>;

/** What becomes of a transaction that nobody has ended. */
export class TransactionFate {
  readonly #connection: MysqlConnection;
  readonly #watch: TransactionMonitor;
  #implicitEnd: ImplicitEnd | undefined;

  /** @param isFirst see {@link TransactionMonitor}. */
  constructor(connection: MysqlConnection, isFirst: boolean) {
    this.#connection = connection;
    this.#watch = new TransactionMonitor(connection, isFirst);
  }

  /** Set once it is over. */
  get implicitEnd(): ImplicitEnd | undefined {
    return this.#implicitEnd;
  }

  /** What the failure has left of the transaction: nothing, as long as that is not committed. */
  async findOutAfterFailure(error: unknown, statement: Statement): Promise<Outcome> {
    const { mayEndTransaction } = statement;
    const isEnded = error instanceof BrokerError && error.transaction === 'ended';
    // Its holder has ended it: the answer need not wait for another question.
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

  /** Whether the transaction goes on, and if it does not, what became of it. */
  async findOut({ mayEndTransaction }: Statement, failure?: unknown): Promise<void> {
    let found: FoundEnd | undefined;
    try {
      found = await this.#asking(async () => {
        const isTold = failure === undefined || (await this.#connection.state.askStatus(mayEndTransaction));
        return isTold ? await this.#watch.check(mayEndTransaction) : 'unclear';
      });
    } catch (error) {
      if (!isServerError(error)) throw this.#lost(error, mayEndTransaction);
      found = 'unclear';
    }
    if (found === undefined) return;
    // What cannot run anything else has done nothing behind that.
    const isAllTakenBack = found === 'taken_back' && failure !== undefined && !mayEndTransaction;
    this.#implicitEnd = isAllTakenBack ? ROLLED_BACK : endOf(found, isDeadlock(failure));
  }

  /** Runs a statement of our own. */
  async command(sql: string): Promise<void> {
    try {
      await this.#asking(() => this.#connection.command(sql));
    } catch (error) {
      if (!isServerError(error)) throw this.#lost(error, false);
      // Whatever it was for cannot be promised any more.
      this.#implicitEnd = ROLLED_BACK;
      throw implicitlyEnded(ROLLED_BACK).with({ outcome: 'not_applied' });
    }
  }

  /** A question of our own that gets no answer ends the connection; one that the server refuses does not. */
  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await within(ANSWER_TIMEOUT_MS, ask());
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
