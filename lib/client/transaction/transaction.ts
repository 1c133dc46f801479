import { type CallOptions, GivenOptions, type StatementOptions } from '../call-options.ts';
import { checkArguments } from '../check-arguments.ts';
import type { ParamValues } from '../params.ts';
import { type Changes, type QueryResult, readChanges, readResult } from '../results.ts';
import type { RowOf, RowOptions, RowShape } from '../rows.ts';
import { toBatch, toStatement } from '../statements.ts';
import { anySignal } from '../transport/call-budget.ts';
import { CallQueue } from './call-queue.ts';
import type { RemoteTransaction } from './remote-transaction.ts';
import { inSavepoint } from './savepoint.ts';

/**
 * An open transaction, as a callback gets it.
 *
 * Its calls run one at a time, in order. It can be used until the callback ends, but not while a savepoint or a stream of
 * it is open.
 */
export class Transaction<Shape extends RowShape = 'object'> {
  readonly #open: RemoteTransaction;
  readonly #queue: CallQueue;
  readonly #options: RowOptions;
  /** How many savepoints enclose it. */
  readonly #depth: number;

  constructor(open: RemoteTransaction, queue: CallQueue, options: RowOptions, depth = 0) {
    this.#open = open;
    this.#queue = queue;
    this.#options = options;
    this.#depth = depth;
  }

  /**
   * Runs one SQL statement, as {@link BrokerClient.query} does. Session state lasts until the transaction's end.
   *
   * @throws {BrokerError} whose `transaction` says whether the transaction is still open. After a call that was aborted,
   *   or whose reply was lost, it can only be rolled back.
   */
  query<Row extends object = RowOf<Shape>>(
    sql: string,
    params?: ParamValues,
    options: StatementOptions = {},
  ): Promise<QueryResult<Row>> {
    return this.#queue.run(async () => {
      const { maxRows, ...call } = checkArguments(GivenOptions.statement, { options }).options;
      const statement = toStatement(sql, params, maxRows);
      return await this.#open.run('query', statement, call, (reply) =>
        // Nothing is applied before the commit.
        readResult<Row>(reply, this.#options, 'not_applied'),
      );
    });
  }

  /** Runs one statement for each set of values; if it fails for one, none of them is done. */
  batch(sql: string, paramSets: readonly ParamValues[], options: CallOptions = {}): Promise<Changes[]> {
    return this.#queue.run(async () => {
      const call = checkArguments(GivenOptions.call, { options }).options;
      return await this.#open.run('batch', toBatch(sql, paramSets), call, readChanges);
    });
  }

  /**
   * Streams rows as {@link BrokerClient.stream} does. Other calls are refused until the loop ends or is left.
   */
  async *stream<Row extends object = RowOf<Shape>>(
    sql: string,
    params?: ParamValues,
    options: StatementOptions = {},
  ): AsyncGenerator<Row, void, undefined> {
    const { maxRows, timeoutMs, ...call } = checkArguments(GivenOptions.statement, { options }).options;
    const statement = toStatement(sql, params, maxRows);
    const hold = await this.#queue.hold('A stream');
    const signal = anySignal(call.signal, hold.signal);
    try {
      yield* this.#open.stream<Row>(statement, { timeoutMs, signal }, this.#options);
    } finally {
      await hold.release();
    }
  }

  /**
   * Runs `work` in a savepoint: if it fails, only its own statements are undone, and its error is thrown. Savepoints can be
   * nested.
   *
   * @example
   * await tx.savepoint(async (sp) => await sp.query('INSERT INTO tags (name) VALUES (?)', [name])).catch(() => {});
   */
  savepoint<T>(work: (savepoint: Transaction<Shape>) => Promise<T>): Promise<T> {
    return this.#queue.runExclusive({ name: 'A savepoint' }, async () => {
      const queue = new CallQueue();
      const depth = this.#depth + 1;
      const inner = new Transaction<Shape>(this.#open, queue, this.#options, depth);
      return await inSavepoint(
        this.#open,
        depth,
        async () => await queue.complete(async () => await this.#open.budget.bound(work(inner))),
      );
    });
  }
}
