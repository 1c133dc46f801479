import * as z from 'zod/mini';
import { BATCH_ROUTE, QUERY_ROUTE, TRANSACTION_ROUTE } from '../protocol/routes.ts';
import { STREAM_TYPE } from '../protocol/stream.ts';
import {
  type BatchOptions,
  GivenOptions,
  type QueryOptions,
  type StatementOptions,
  type StatementsOptions,
  type TransactionOptions,
} from './call-options.ts';
import { Alias, checkArguments } from './check-arguments.ts';
import { callDatabase, type DatabaseTarget } from './database-call.ts';
import type { ParamValues } from './params.ts';
import { type Changes, type QueryResult, readChanges, readResult, readResults } from './results.ts';
import { streamedRows } from './row-stream.ts';
import type { RowOf, RowShape } from './rows.ts';
import { onlyReads, type TransactionStatement, toBatch, toStatement, toTransaction } from './statements.ts';
import { runTransaction } from './transaction/run-transaction.ts';
import type { Transaction } from './transaction/transaction.ts';
import { CallBudget } from './transport/call-budget.ts';

/** What each statement of a transaction did, in their order. */
export type ResultsOf<Statements extends readonly unknown[], Row> = {
  -readonly [Index in keyof Statements]: QueryResult<Row>;
};

/** As many statements as there are types of rows. */
type StatementsFor<Rows extends readonly object[]> = { readonly [Index in keyof Rows]: TransactionStatement };

/** Runs SQL on one of the broker's databases. {@link connect} makes it. */
export class BrokerClient<Shape extends RowShape = 'object'> {
  readonly #database: DatabaseTarget;

  constructor(database: DatabaseTarget) {
    this.#database = database;
  }

  /** The same client for another of the broker's databases. */
  database(alias: string): BrokerClient<Shape> {
    checkArguments(z.object({ database: Alias }), { database: alias });
    return new BrokerClient<Shape>({ ...this.#database, alias });
  }

  /**
   * Runs one SQL statement and returns its rows and what it did.
   *
   * Each query may run on a connection of its own, so session state (`SET @a`, temporary tables,
   * `LAST_INSERT_ID()`) does not last; `insertId` comes with the result.
   *
   * The client retries it only if it surely was not run. After any other failure the error's `outcome` says whether a
   * write may have happened, and `retryable` whether to send it again.
   *
   * @param params Values for `?` in order, or for `:name` by name. See {@link list}, {@link json}, {@link decimal}.
   * @returns Rows in the form that {@link connect} was given; DECIMAL, dates and times are strings, binary data is a
   *   Uint8Array. `Row` is not checked.
   * @throws {BrokerError} with the broker's code; `INVALID_REQUEST` before anything is sent if an argument is wrong.
   *
   * @example
   * const { rows } = await db.query<{ id: number }>('SELECT id FROM orders WHERE status IN (?)', [list(['new'])]);
   */
  async query<Row extends object = RowOf<Shape>>(
    sql: string,
    params?: ParamValues,
    options: QueryOptions = {},
  ): Promise<QueryResult<Row>> {
    const { maxRows, ...call } = checkArguments(GivenOptions.query, { options }).options;
    const request = { route: QUERY_ROUTE, body: toStatement(sql, params, maxRows) };
    return await callDatabase(this.#database, request, call, (reply) =>
      readResult<Row>(reply, this.#database.rowOptions, onlyReads(sql) ? 'not_applied' : 'applied'),
    );
  }

  /**
   * Runs one SQL statement and yields its rows as they arrive: any number of rows, in little memory. The broker reads no
   * faster than the loop consumes them. Nothing is sent before the first row is requested; leaving the loop stops the
   * statement.
   *
   * @param options `timeoutMs` bounds the wait for the first row, and each wait for more; without `maxRows` the number of
   *   rows is not limited.
   * @throws {BrokerError} as {@link query} does, also after some rows; `BROKER_UNREACHABLE` if they broke off;
   *   `TOO_MANY_STREAMS`.
   *
   * @example
   * for await (const row of db.stream<{ id: number }>('SELECT id FROM orders')) await archive(row.id);
   */
  async *stream<Row extends object = RowOf<Shape>>(
    sql: string,
    params?: ParamValues,
    options: StatementOptions = {},
  ): AsyncGenerator<Row, void, undefined> {
    const { maxRows, ...call } = checkArguments(GivenOptions.statement, { options }).options;
    const { timeoutMs = this.#database.timeoutMs, signal } = call;
    const request = { route: QUERY_ROUTE, body: toStatement(sql, params, maxRows), streamType: STREAM_TYPE };
    yield* await callDatabase(this.#database, request, { timeoutMs, signal, retryWrites: false }, (reply) =>
      streamedRows<Row>(
        reply,
        this.#database.rowOptions,
        { stallMs: timeoutMs, signal },
        onlyReads(sql) ? 'not_applied' : 'unknown',
      ),
    );
  }

  /**
   * Runs one statement for each set of values, 1 to 1000: all of them are done, or none.
   *
   * @throws {BrokerError} as {@link query} does; `details.index` tells which set failed.
   *
   * @example
   * await db.batch('INSERT INTO tags (name, weight) VALUES (?, ?)', [['new', 1], ['paid', 2]]);
   */
  async batch(
    sql: string,
    paramSets: readonly ParamValues[],
    options: BatchOptions = {},
  ): Promise<Changes[]> {
    const call = checkArguments(GivenOptions.batch, { options }).options;
    return await callDatabase(
      this.#database,
      { route: BATCH_ROUTE, body: toBatch(sql, paramSets) },
      call,
      readChanges,
    );
  }

  /**
   * Runs 1 to 100 statements as one transaction in one round trip: all of them are done, or none.
   *
   * @throws {BrokerError} as {@link query} does; `EXPECTATION_FAILED` if a statement does not meet its `expect`;
   *   `details.index` says which statement failed.
   *
   * @example
   * const [taken, order] = await db.transaction([
   *   { sql: 'UPDATE stock SET left = left - 1 WHERE id = ? AND left > 0', params: [7], expect: { affectedRows: 1 } },
   *   { sql: 'INSERT INTO orders (item_id) VALUES (?)', params: [7] },
   * ]);
   */
  transaction<const Statements extends readonly TransactionStatement[]>(
    statements: Statements,
    options?: StatementsOptions,
  ): Promise<ResultsOf<Statements, RowOf<Shape>>>;
  /** The same, with a type for each statement's rows, which is not checked: `db.transaction<[User, Order]>([...])`. */
  transaction<Rows extends readonly object[]>(
    statements: StatementsFor<Rows>,
    options?: StatementsOptions,
  ): Promise<{ [Index in keyof Rows]: QueryResult<Rows[Index]> }>;
  /**
   * Runs `work` in a transaction: commits it when `work` resolves, or rolls it back and throws the first error.
   *
   * DEADLOCK, TOO_MANY_TRANSACTIONS and QUEUE_FULL are retried within `timeoutMs`, the budget of all attempts: `work` then
   * runs again, so it should have no effects besides the transaction. Calls that it does not await are awaited before the
   * commit; if one fails, the transaction is rolled back.
   *
   * @throws {BrokerError} `TRANSACTION_ENDED`, with its `reason`, if the transaction ended before the commit, even if
   *   `work` caught that. Only a commit without a reply leaves the outcome unknown.
   *
   * @example
   * const id = await db.transaction(async (tx) => {
   *   const { rows } = await tx.query<{ left: number }>('SELECT left FROM stock WHERE id = ? FOR UPDATE', [7]);
   *   if (!rows[0]?.left) throw new Error('sold out');
   *   return (await tx.query('INSERT INTO orders (item_id) VALUES (?)', [7])).insertId;
   * });
   */
  transaction<T>(
    work: (transaction: Transaction<Shape>) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>;
  async transaction(
    given: readonly TransactionStatement[] | ((transaction: Transaction<Shape>) => Promise<unknown>),
    options: StatementsOptions = {},
  ): Promise<unknown> {
    if (typeof given === 'function') return await this.#transact(given, options);
    const checked = checkArguments(GivenOptions.statements, { options }).options;
    const { timeoutMs, signal, retryWrites, ...mode } = checked;
    const body = toTransaction(given, mode);
    const request = { route: TRANSACTION_ROUTE, body, isRead: mode.readOnly };
    const isRead = mode.readOnly === true || given.every(({ sql }) => onlyReads(sql));
    const call = { timeoutMs, signal, retryWrites };
    return await callDatabase(this.#database, request, call, (reply) =>
      readResults(reply, this.#database.rowOptions, isRead ? 'not_applied' : 'applied'),
    );
  }

  async #transact<T>(
    work: (transaction: Transaction<Shape>) => Promise<T>,
    options: TransactionOptions,
  ): Promise<T> {
    const { timeoutMs, signal, ...mode } = checkArguments(GivenOptions.transaction, { options }).options;
    const budget = new CallBudget(timeoutMs ?? this.#database.timeoutMs, signal);
    return await runTransaction<Shape, T>(this.#database, mode, budget, work);
  }
}
