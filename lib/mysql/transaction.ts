import { BrokerError, type Outcome } from '../errors.ts';
import { within } from '../pool/connection.ts';
import { Deadline } from '../pool/deadline.ts';
import type { Isolation } from '../protocol/transaction.ts';
import type { BoundStatement } from './bind.ts';
import type { Watched } from './interrupt.ts';
import type { MysqlConnection } from './mysql-connection.ts';
import type { StatementTerms, StreamLimits } from './query-terms.ts';
import type { ResultLimits, StatementResult } from './result-collector.ts';
import type { LineReader, StreamResult } from './row-stream.ts';
import { TransactionWatch } from './transaction-watch.ts';
import { endedUnasked, endOf, type UnaskedEnd } from './unasked-end.ts';

/** How a transaction runs. */
export interface TransactionMode {
  readonly isolation: Isolation | undefined;
  /** The server refuses every write. */
  readonly isReadOnly: boolean;
}

/** A server that answers none of our own questions for so long is given up. */
const ANSWER_TIMEOUT_MS = 5_000;
/** What it takes back may be much. */
const ROLLBACK_TIMEOUT_MS = 5_000;

/** Terms of a command of our own, which answers no rows and changes nothing that lasts. */
const COMMAND = {
  limits: { maxRows: 1, maxResultBytes: 10_000 },
  isReadOnly: false,
  cannotWrite: true,
  effect: 'all_or_nothing',
  isPlain: false,
  signal: undefined,
} as const;

/** ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK, ER_TRANSACTION_ROLLBACK_DURING_COMMIT: a COMMIT that the server took back. */
const REFUSED_COMMITS: ReadonlySet<number> = new Set([1205, 1213, 3101]);

/** Whatever completion_type a procedure may have set. */
const END_ONLY = 'AND NO CHAIN NO RELEASE';

/** The savepoint of work that takes place whole. */
const SAVEPOINT = '_broker_whole';

/**
 * A transaction on a connection that is its holder's alone.
 *
 * Whatever fails before the COMMIT has done nothing, because all of it is rolled back in the end; errors say in
 * `transaction` whether it goes on. After its end the connection only goes back to the pool, whose reset also ends
 * what is still open.
 */
export class Transaction {
  readonly #connection: MysqlConnection;
  readonly #mode: TransactionMode;
  readonly #watch: TransactionWatch;
  #unaskedEnd: UnaskedEnd | undefined;

  private constructor(connection: MysqlConnection, mode: TransactionMode) {
    this.#connection = connection;
    this.#mode = mode;
    this.#watch = new TransactionWatch(connection);
  }

  /** @throws {BrokerError} as a query does; nothing was begun then. */
  static async begin(
    connection: MysqlConnection,
    mode: TransactionMode,
    watched: Watched,
  ): Promise<Transaction> {
    const { isolation, isReadOnly } = mode;
    const terms = { ...COMMAND, ...watched, isReadOnly };
    if (isolation !== undefined) {
      await connection.query(`SET TRANSACTION ISOLATION LEVEL ${isolation}`, terms);
    }
    await connection.query('START TRANSACTION', terms);
    return new Transaction(connection, mode);
  }

  /** Set once it is over without having been asked to end. */
  get unaskedEnd(): UnaskedEnd | undefined {
    return this.#unaskedEnd;
  }

  get #isOver(): boolean {
    return this.#unaskedEnd !== undefined;
  }

  /**
   * Runs one statement.
   *
   * @throws {BrokerError} as a query of its own does, with `transaction`. TRANSACTION_ENDED, `implicit_commit`: it has
   *   ended the transaction.
   */
  async query(
    statement: BoundStatement,
    { limits, ...watched }: Watched & { readonly limits: ResultLimits },
  ): Promise<StatementResult> {
    const terms = { ...this.#termsOf(statement, watched), limits };
    return await this.#run(statement, () => this.#connection.query(statement.text, terms));
  }

  /** The same, but hands on its rows as they come. */
  async stream(
    statement: BoundStatement,
    { maxRows, stallMs, ...watched }: Watched & StreamLimits,
    reader: LineReader,
  ): Promise<StreamResult> {
    const { isRead } = statement;
    const terms = { ...this.#termsOf(statement, watched), isRead, maxRows, stallMs };
    return await this.#run(statement, () => this.#connection.stream(statement.text, terms, reader));
  }

  /** Runs work that has taken place whole or, if it fails, not at all. */
  async whole<T>(work: () => Promise<T>): Promise<T> {
    await this.#command(`SAVEPOINT ${SAVEPOINT}`);
    try {
      const result = await work();
      await this.#command(`RELEASE SAVEPOINT ${SAVEPOINT}`);
      return result;
    } catch (error) {
      if (!this.#isOver) await this.#command(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
      throw error;
    }
  }

  /**
   * @throws {BrokerError} with what has become of the work: `unknown` if the connection was lost on the way. The
   *   transaction is over in any case.
   */
  async commit(deadline: Deadline): Promise<void> {
    const { isReadOnly } = this.#mode;
    try {
      await this.#connection.query(`COMMIT ${END_ONLY}`, {
        ...COMMAND,
        deadline,
        isReadOnly,
        cannotWrite: isReadOnly,
        effect: 'parts',
      });
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      const isRefused = REFUSED_COMMITS.has(error.mysql?.errno ?? 0);
      throw error.with({ transaction: 'ended', ...(isRefused && { outcome: 'not_applied' }) });
    }
  }

  /** Never rejects: a connection that cannot say ROLLBACK loses its transaction with its end. */
  async rollback(): Promise<void> {
    if (!this.#connection.isUsable) return;
    const deadline = Deadline.after(ROLLBACK_TIMEOUT_MS);
    await this.#connection
      .query(`ROLLBACK ${END_ONLY}`, { ...COMMAND, deadline })
      .catch(() => this.#connection.destroy());
  }

  async #run<T>(statement: BoundStatement, ask: () => Promise<T>): Promise<T> {
    if (statement.mayEndTransaction) await this.#asking(() => this.#watch.begin());
    let result: T;
    try {
      result = await ask();
    } catch (error) {
      const outcome = await this.#findOutAfterFailure(error, statement);
      if (!(error instanceof BrokerError)) throw error;
      // Who has stopped the statement to end the transaction says so.
      throw error.with({ outcome, transaction: error.transaction ?? (this.#isOver ? 'ended' : 'open') });
    }
    const outcome = statement.mayEndTransaction ? await this.#checkUnaskedEnd() : 'not_applied';
    if (this.#unaskedEnd !== undefined) throw endedUnasked(this.#unaskedEnd, outcome);
    return result;
  }

  #termsOf({ effect, isRead }: BoundStatement, { deadline, signal }: Watched): StatementTerms {
    return {
      deadline,
      signal,
      effect,
      isReadOnly: this.#mode.isReadOnly,
      cannotWrite: isRead || (this.#mode.isReadOnly && effect === 'all_or_nothing'),
      isPlain: false,
    };
  }

  /** What the failure has left of the transaction: nothing, as long as that is not committed. */
  async #findOutAfterFailure(error: unknown, { mayEndTransaction }: BoundStatement): Promise<Outcome> {
    if (mayEndTransaction && this.#connection.isUsable) {
      const outcome = await this.#checkUnaskedEnd(error).catch(() => 'unknown' as const);
      if (this.#isOver) return outcome;
    }
    if (!this.#connection.isUsable) {
      this.#unaskedEnd = 'connection_lost';
      return mayEndTransaction ? 'unknown' : 'not_applied';
    }
    // Its holder has ended it: the answer need not wait for another question.
    if (error instanceof BrokerError && error.transaction === 'ended') return 'not_applied';
    if (isDeadlock(error)) this.#unaskedEnd = 'deadlock';
    else if (!(await this.#asking(() => this.#watch.isOpen()).catch(() => false))) {
      this.#unaskedEnd ??= 'rolled_back';
    }
    return 'not_applied';
  }

  async #checkUnaskedEnd(failure?: unknown): Promise<Outcome> {
    const found = await this.#asking(() => this.#watch.check());
    if (found === undefined) return 'not_applied';
    const { reason, outcome } = endOf(found, isDeadlock(failure));
    this.#unaskedEnd = reason;
    return outcome;
  }

  async #command(sql: string): Promise<void> {
    await this.#asking(() => this.#connection.command(sql));
  }

  /** A question of our own that gets no answer ends the connection. */
  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await within(ANSWER_TIMEOUT_MS, ask());
    } catch (error) {
      this.#connection.destroy();
      this.#unaskedEnd = 'connection_lost';
      throw lost(error);
    }
  }
}

function isDeadlock(error: unknown): boolean {
  return error instanceof BrokerError && error.code === 'DEADLOCK';
}

function lost(cause: unknown): BrokerError {
  return new BrokerError('CONNECTION_LOST', 'The connection to the database was lost', {
    transaction: 'ended',
    cause,
  });
}
