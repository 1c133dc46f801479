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
import { COMMAND, COMMIT, openingOf, ROLLBACK } from './own-commands.ts';
import { type ImplicitEnd, implicitlyEnded, UNCLEAR_END } from './transaction-end.ts';
import { TransactionFate } from './transaction-fate.ts';
import { lastStatementUnknown, notTracked } from './transaction-refusals.ts';
import { commandsOf, type SequenceStep, sequenceOf } from './transaction-sequence.ts';

/** How a transaction runs. */
export interface TransactionMode {
  readonly isolation: Isolation | undefined;
  /** The server refuses every write. */
  readonly isReadOnly: boolean;
}

/** What decides whether a statement may run, and what is to be found out after it. */
type RunFacts = Pick<BoundStatement, 'readsLastStatement' | 'mayEndTransaction'>;

/** A ROLLBACK may have much to undo. */
const ROLLBACK_TIMEOUT_MS = 5_000;

/** ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK, ER_TRANSACTION_ROLLBACK_DURING_COMMIT: the server rolled back instead. */
const REFUSED_COMMITS: ReadonlySet<number> = new Set([1205, 1213, 3101]);

/**
 * A transaction on a connection that its holder uses exclusively.
 *
 * A failure before the COMMIT leaves nothing, since all of it is rolled back in the end; errors say in `transaction`
 * whether it is still open. After its end the connection is checked in, and the pool's reset rolls back a transaction that
 * is still open.
 */
export class MysqlTransaction {
  readonly #connection: MysqlConnection;
  readonly #mode: TransactionMode;
  readonly #fate: TransactionFate;
  /** The statements that begin it, until they have run. */
  #opening: readonly string[];
  /** The savepoint of atomic work. Its name is random, so that no caller's savepoint replaces it. */
  #savepoint: string | undefined;

  /** It begins with its first statement. */
  constructor(connection: MysqlConnection, mode: TransactionMode) {
    this.#connection = connection;
    this.#mode = mode;
    this.#opening = openingOf(mode.isolation);
    this.#fate = new TransactionFate(connection, !connection.state.history.isUsed);
  }

  /** @throws {BrokerError} as a query does. No transaction was begun then. */
  static async begin(
    connection: MysqlConnection,
    mode: TransactionMode,
    scope: CallScope,
  ): Promise<MysqlTransaction> {
    const transaction = new MysqlTransaction(connection, mode);
    await transaction.#begin(scope);
    return transaction;
  }

  get hasBegun(): boolean {
    return this.#opening.length === 0;
  }

  /** Whether {@link querySeveral} is allowed. */
  get takesSeveral(): boolean {
    return this.#connection.state.takesSeveral;
  }

  /** Set once it has ended by itself. */
  get implicitEnd(): ImplicitEnd | undefined {
    return this.#fate.implicitEnd;
  }

  get #isOver(): boolean {
    return this.implicitEnd !== undefined;
  }

  async #begin(scope: CallScope): Promise<void> {
    if (this.hasBegun) return;
    const options = { ...COMMAND, ...scope, isReadOnly: this.#mode.isReadOnly };
    for (const sql of this.#opening) await this.#connection.query(sql, options);
    this.#noteBegun();
  }

  #noteBegun(): void {
    this.#opening = [];
    this.#fate.begin();
  }

  /**
   * Runs one statement.
   *
   * @throws {BrokerError} as a query does, with `transaction`. TRANSACTION_ENDED, `implicit_commit`: it has ended the
   *   transaction.
   */
  async query(
    statement: BoundStatement,
    { limits, ...scope }: CallScope & { readonly limits: ResultLimits },
  ): Promise<StatementResult> {
    await this.#begin(scope);
    const options = { ...this.#optionsFor(statement, scope), limits };
    return await this.#run(statement, async () => {
      const text = statement.isLong ? await statement.textInTurns() : statement.text;
      return await this.#connection.query(text, options);
    });
  }

  /**
   * Runs several statements as one command: each must be {@link isForSequence}. None runs after one that fails. The
   * result of each is taken before the next one's. What the last one has left for ROW_COUNT() is lost.
   *
   * @throws {BrokerError} as `query` does, or what taking a result throws.
   */
  async querySeveral(steps: readonly SequenceStep[], scope: CallScope): Promise<void> {
    const readsLastStatement = this.hasBegun && steps[0]?.bound.readsLastStatement === true;
    const statements = sequenceOf(this.#opening, steps, () => this.#noteBegun());
    const options = { ...COMMAND, ...scope, isReadOnly: this.#mode.isReadOnly };
    await this.#run({ readsLastStatement, mayEndTransaction: false }, async () => {
      for (const command of commandsOf(statements)) await this.#connection.querySeveral(command, options);
    });
  }

  /** Like `query`, but streams the rows. */
  async stream(
    statement: BoundStatement,
    { maxRows, maxRowBytes, stallMs, ...scope }: CallScope & StreamLimits,
    sink: NdjsonSink,
  ): Promise<StreamResult> {
    await this.#begin(scope);
    const { isRead } = statement;
    const options = { ...this.#optionsFor(statement, scope), isRead, maxRows, maxRowBytes, stallMs };
    return await this.#run(statement, async () => {
      const text = statement.isLong ? await statement.textInTurns() : statement.text;
      return await this.#connection.stream(text, options, sink);
    });
  }

  /**
   * Runs work atomically: if it fails, its statements are undone. The savepoint is not released, since that would be a
   * statement of the broker after the work's last one.
   */
  async atomically<T>(work: () => Promise<T>): Promise<T> {
    this.#savepoint ??= `_broker_${randomBytes(8).toString('hex')}`;
    await this.#fate.command(`SAVEPOINT ${this.#savepoint}`);
    try {
      return await work();
    } catch (error) {
      if (this.#isOver) throw error;
      await this.#fate.command(`ROLLBACK TO SAVEPOINT ${this.#savepoint}`);
      throw error;
    }
  }

  /** Hides the state of the last statement, which was the broker's, from the caller. */
  hideLastStatement(): void {
    this.#connection.state.history.lastIsBrokers = true;
  }

  /**
   * @throws {BrokerError} with the outcome: `unknown` if the connection was lost meanwhile. The transaction has ended in
   *   any case.
   */
  async commit(deadline: Deadline): Promise<void> {
    if (this.implicitEnd !== undefined) throw implicitlyEnded(this.implicitEnd);
    const { isReadOnly } = this.#mode;
    const wasReported = this.#connection.state.session.reportsTransaction();
    let isEndReported: boolean;
    try {
      const { endsTransaction } = await this.#connection.queryAndReset(COMMIT, {
        ...COMMAND,
        deadline,
        isReadOnly,
        cannotWrite: isReadOnly,
        effect: 'parts',
      });
      isEndReported = endsTransaction;
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      const isRefused = REFUSED_COMMITS.has(error.mysql?.errno ?? 0);
      throw error.with({ transaction: 'ended', ...(isRefused && { outcome: 'not_applied' }) });
    }
    // The tracker did not report this end, so the transaction may have ended before.
    if (wasReported && !isEndReported) throw implicitlyEnded(UNCLEAR_END);
  }

  /** Never rejects: if it fails, closing the connection ends the transaction. */
  async rollback(): Promise<void> {
    if (!this.#connection.isUsable) return;
    const deadline = Deadline.after(ROLLBACK_TIMEOUT_MS);
    await this.#connection
      .queryAndReset(ROLLBACK, { ...COMMAND, deadline })
      .catch(() => this.#connection.destroy());
  }

  async #run<T>(statement: RunFacts, run: () => Promise<T>): Promise<T> {
    this.#refuseUncertain(statement);
    let result: T;
    try {
      result = await run();
    } catch (error) {
      if (!this.hasBegun) throw error;
      const outcome = await this.#fate.findOutAfterFailure(error, statement);
      if (!(error instanceof BrokerError)) throw error;
      // If the statement was stopped to end the transaction, the error says so.
      throw error.with({ outcome, transaction: error.transaction ?? (this.#isOver ? 'ended' : 'open') });
    }
    await this.#fate.findOut(statement);
    if (this.implicitEnd !== undefined) throw implicitlyEnded(this.implicitEnd);
    return result;
  }

  /** @throws {BrokerError} STATEMENT_NOT_ALLOWED: its result or its effect would be uncertain. */
  #refuseUncertain({ readsLastStatement, mayEndTransaction }: RunFacts): void {
    if (readsLastStatement && this.#connection.state.history.lastIsBrokers) throw lastStatementUnknown();
    if (mayEndTransaction && !this.#connection.state.session.tracksTransactions) throw notTracked();
  }

  #optionsFor(
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
      // A procedure may read it too.
      readsLastStatement: readsLastStatement || mayEndTransaction,
    };
  }
}
