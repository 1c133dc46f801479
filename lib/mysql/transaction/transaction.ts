import { randomBytes } from 'node:crypto';
import { Deadline } from '../../async/deadline.ts';
import type { CallScope } from '../../async/interruptible.ts';
import { BrokerError } from '../../errors.ts';
import type { Isolation } from '../../protocol/transaction.ts';
import type { ExecutionOptions, StreamLimits } from '../connection/execution-options.ts';
import type { MysqlConnection } from '../connection/mysql-connection.ts';
import type { ResultLimits, StatementResult } from '../result/result-collector.ts';
import type { NdjsonSink, StreamResult } from '../result/row-stream.ts';
import type { BoundStatement } from '../sql/binding/bind.ts';
import { cannotWrite } from '../sql/statement-effect.ts';
import { type ImplicitEnd, implicitlyEnded, UNCLEAR_END } from './transaction-end.ts';
import { TransactionFate } from './transaction-fate.ts';

/** How a transaction runs. */
export interface TransactionMode {
  readonly isolation: Isolation | undefined;
  /** The server refuses every write. */
  readonly isReadOnly: boolean;
}

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

/** Behind a statement of the broker's own. */
const LAST_IS_GONE =
  'ROW_COUNT(), FOUND_ROWS(), warnings and diagnostics of the statement before are not known any more here: the broker has run a statement of its own since, for a batch, an idempotency key or the failure of a statement';
const NOT_TRACKED =
  'CALL, EXECUTE and executable comments are not allowed in a transaction here: the server, or a proxy before it, does not report the end of a transaction (session_track_transaction_info)';

/** Whatever completion_type a procedure may have set. */
const END_ONLY = 'AND NO CHAIN NO RELEASE';

/**
 * A transaction on a connection that is its holder's alone.
 *
 * Whatever fails before the COMMIT has done nothing, because all of it is rolled back in the end; errors say in
 * `transaction` whether it goes on. After its end the connection only goes back to the pool, whose reset also ends
 * what is still open.
 */
export class MysqlTransaction {
  readonly #connection: MysqlConnection;
  readonly #mode: TransactionMode;
  readonly #fate: TransactionFate;
  /** Of work that takes place whole. No caller can know it, and so none can lose one of the same name. */
  readonly #savepoint = `_broker_${randomBytes(8).toString('hex')}`;

  private constructor(connection: MysqlConnection, mode: TransactionMode, isFirst: boolean) {
    this.#connection = connection;
    this.#mode = mode;
    this.#fate = new TransactionFate(connection, isFirst);
  }

  /** @throws {BrokerError} as a query does; nothing was begun then. */
  static async begin(
    connection: MysqlConnection,
    mode: TransactionMode,
    watched: CallScope,
  ): Promise<MysqlTransaction> {
    const { isolation, isReadOnly } = mode;
    const terms = { ...COMMAND, ...watched, isReadOnly };
    const isFirst = !connection.state.history.isUsed;
    if (isolation !== undefined) {
      await connection.query(`SET TRANSACTION ISOLATION LEVEL ${isolation}`, terms);
    }
    await connection.query('START TRANSACTION', terms);
    return new MysqlTransaction(connection, mode, isFirst);
  }

  /** Set once it is over without having been asked to end. */
  get implicitEnd(): ImplicitEnd | undefined {
    return this.#fate.implicitEnd;
  }

  get #isOver(): boolean {
    return this.implicitEnd !== undefined;
  }

  /**
   * Runs one statement.
   *
   * @throws {BrokerError} as a query of its own does, with `transaction`. TRANSACTION_ENDED, `implicit_commit`: it has
   *   ended the transaction.
   */
  async query(
    statement: BoundStatement,
    { limits, ...watched }: CallScope & { readonly limits: ResultLimits },
  ): Promise<StatementResult> {
    const terms = { ...this.#termsOf(statement, watched), limits };
    return await this.#run(statement, async () => {
      const text = statement.isLong ? await statement.textInTurns() : statement.text;
      return await this.#connection.query(text, terms);
    });
  }

  /** The same, but hands on its rows as they come. */
  async stream(
    statement: BoundStatement,
    { maxRows, maxRowBytes, stallMs, ...watched }: CallScope & StreamLimits,
    reader: NdjsonSink,
  ): Promise<StreamResult> {
    const { isRead } = statement;
    const terms = { ...this.#termsOf(statement, watched), isRead, maxRows, maxRowBytes, stallMs };
    return await this.#run(statement, async () => {
      const text = statement.isLong ? await statement.textInTurns() : statement.text;
      return await this.#connection.stream(text, terms, reader);
    });
  }

  /**
   * Runs work that has taken place whole or, if it fails, not at all. The savepoint stays: to release it would put a
   * statement of ours behind the work's last one.
   */
  async whole<T>(work: () => Promise<T>): Promise<T> {
    await this.#fate.command(`SAVEPOINT ${this.#savepoint}`);
    try {
      return await work();
    } catch (error) {
      if (this.#isOver) throw error;
      await this.#fate.command(`ROLLBACK TO SAVEPOINT ${this.#savepoint}`);
      throw error;
    }
  }

  /** What was run last was the broker's own, and not for the caller to see. */
  hideLast(): void {
    this.#connection.state.history.lastIsOwn = true;
  }

  /**
   * @throws {BrokerError} with what has become of the work: `unknown` if the connection was lost on the way. The
   *   transaction is over in any case.
   */
  async commit(deadline: Deadline): Promise<void> {
    if (this.implicitEnd !== undefined) throw implicitlyEnded(this.implicitEnd);
    const { isReadOnly } = this.#mode;
    const { session } = this.#connection.state;
    const wasReported = session.reportsTransaction();
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
    // What had the tracker fall silent may have ended the transaction before.
    if (wasReported && session.reportsTransaction()) throw implicitlyEnded(UNCLEAR_END);
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
    this.#refuseUnanswerable(statement);
    let result: T;
    try {
      result = await ask();
    } catch (error) {
      const outcome = await this.#fate.findOutAfterFailure(error, statement);
      if (!(error instanceof BrokerError)) throw error;
      // Who has stopped the statement to end the transaction says so.
      throw error.with({ outcome, transaction: error.transaction ?? (this.#isOver ? 'ended' : 'open') });
    }
    await this.#fate.findOut(statement);
    if (this.implicitEnd !== undefined) throw implicitlyEnded(this.implicitEnd);
    return result;
  }

  /** @throws {BrokerError} STATEMENT_NOT_ALLOWED: what it asks, or does, could not be told for certain. */
  #refuseUnanswerable({ readsLastStatement, mayEndTransaction }: BoundStatement): void {
    if (readsLastStatement && this.#connection.state.history.lastIsOwn) throw refused(LAST_IS_GONE);
    if (mayEndTransaction && !this.#connection.state.session.tracksTransactions) throw refused(NOT_TRACKED);
  }

  #termsOf(
    { effect, isRead, rowCounts, readsLastStatement, mayEndTransaction }: BoundStatement,
    { deadline, signal }: CallScope,
  ): ExecutionOptions {
    return {
      deadline,
      signal,
      effect,
      rowCounts,
      isReadOnly: this.#mode.isReadOnly,
      cannotWrite: cannotWrite({ isRead, effect }, this.#mode.isReadOnly),
      isPlain: false,
      // What it runs cannot be read here.
      readsLastStatement: readsLastStatement || mayEndTransaction,
    };
  }
}

function refused(reason: string): BrokerError {
  return new BrokerError('STATEMENT_NOT_ALLOWED', reason, { transaction: 'open' });
}
