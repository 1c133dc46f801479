import { Deadline } from '../../async/deadline.ts';
import type { CallScope } from '../../async/interruptible.ts';
import type { Parts } from '../../async/turns.ts';
import { BrokerError } from '../../errors.ts';
import type { NdjsonSink, StreamResult } from '../../mysql/result/row-stream.ts';
import {
  type BoundStatement,
  type StatementBinder,
  statementBinder,
  statementBinderInParts,
} from '../../mysql/sql/binding/bind.ts';
import type { MysqlTransaction } from '../../mysql/transaction/transaction.ts';
import type { Batch, TransactionStatement } from '../../protocol/transaction.ts';
import type { Database } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import type { Metrics } from '../observability/metrics.ts';
import { outcomeOfFailure, type StatementOutcome } from '../observability/statement-outcome.ts';
import {
  joined,
  limitsOf,
  refuseIfTooLarge,
  refuseWithoutWriteAccess,
  resultJson,
} from '../requests/sql-request.ts';
import { streamLimitsOf } from '../streams/answer-with-stream.ts';

/** The state of a statement whose transaction is still open. */
const NOT_COMMITTED = { outcome: 'not_applied', transaction: 'open' } as const;

const EXPECT_UNSUPPORTED =
  'expect.affectedRows cannot be checked: the server does not tell how many rows a statement affects that has RETURNING, or that runs others (CALL, EXECUTE, ANALYZE)';

/** One statement of a transaction, ready to be run. */
export interface Step {
  readonly statement: TransactionStatement;
  readonly bound: BoundStatement;
}

/** @throws {BrokerError} if the statement may not run in a transaction of this caller. */
export function bindStep(call: Call, statement: TransactionStatement, database: Database): Step {
  const { sqlMode, settings } = database;
  const { maxStatementBytes } = settings.limits;
  const bind = statementBinder(statement.sql, sqlMode, 'in_transaction', maxStatementBytes);
  return stepOf(call, statement, bind);
}

/** `toStep` in parts. */
export function* bindStepInParts(
  call: Call,
  statement: TransactionStatement,
  { sqlMode, settings: { limits } }: Database,
): Parts<Step> {
  const { sql } = statement;
  const bind = yield* statementBinderInParts(sql, sqlMode, 'in_transaction', limits.maxStatementBytes);
  return stepOf(call, statement, bind);
}

function stepOf(call: Call, statement: TransactionStatement, bind: StatementBinder): Step {
  const bound = bind(statement.params);
  refuseWithoutWriteAccess(call, bound);
  if (statement.expect !== undefined && bound.rowCounts === 'unreported') {
    throw new BrokerError('INVALID_REQUEST', EXPECT_UNSUPPORTED);
  }
  return { statement, bound };
}

/** @throws {BrokerError} for the first statement that may not run in a transaction of this caller, with its index. */
export function* bindSteps(
  call: Call,
  statements: readonly TransactionStatement[],
  database: Database,
): Parts<readonly Step[]> {
  const steps: Step[] = [];
  for (const [index, statement] of statements.entries()) {
    try {
      steps.push(
        call.isLarge
          ? yield* bindStepInParts(call, statement, database)
          : bindStep(call, statement, database),
      );
    } catch (error) {
      throw indexed(error, index);
    }
  }
  return steps;
}

/** Binds many sets of values to one statement, which is scanned only once. */
export function* bindBatch(
  call: Call,
  { sql, paramSets }: Batch,
  { sqlMode, settings: { limits } }: Database,
): Parts<readonly BoundStatement[]> {
  const source = [sql, sqlMode, 'in_transaction', limits.maxStatementBytes] as const;
  const bind = call.isLarge ? yield* statementBinderInParts(...source) : statementBinder(...source);
  return paramSets.map((params, index) =>
    withIndex(index, () => {
      const bound = bind(params);
      refuseWithoutWriteAccess(call, bound);
      return bound;
    }),
  );
}

/** Runs the statements of a call in its transaction. Results are the JSON that callers get. */
export class StepRunner {
  readonly #database: Database;
  readonly #metrics: Metrics;
  readonly #call: Call;
  readonly #scope: CallScope;

  constructor(database: Database, metrics: Metrics, call: Call, scope: CallScope) {
    this.#database = database;
    this.#metrics = metrics;
    this.#call = call;
    this.#scope = scope;
  }

  /** @throws {BrokerError} with `transaction`; EXPECTATION_FAILED: it affected another number of rows than expected. */
  async step(
    transaction: MysqlTransaction,
    { statement, bound }: Step,
    queueMs: number,
    usedBytes = 0,
  ): Promise<Buffer> {
    const { timeoutMs, maxRows, expect } = statement;
    const limits = limitsOf(this.#call, this.#database, maxRows, usedBytes);
    const result = await this.#timed(() =>
      transaction.query(bound, { ...this.#scopeFor(timeoutMs), limits }),
    );
    const actual = result.affectedRows;
    if (expect !== undefined && actual !== expect.affectedRows) {
      const message = `The statement affected ${actual} rows instead of ${expect.affectedRows}`;
      throw new BrokerError('EXPECTATION_FAILED', message, {
        details: { expected: expect.affectedRows, actual },
      });
    }
    const json = resultJson(result, this.#lastMs, queueMs);
    refuseIfTooLarge(json, limits, NOT_COMMITTED);
    return json;
  }

  /** Like `step`, but passes the rows on as they arrive. */
  async stream(
    transaction: MysqlTransaction,
    { statement: { timeoutMs, maxRows }, bound }: Step,
    sink: NdjsonSink,
  ): Promise<StreamResult> {
    const options = { ...this.#scopeFor(timeoutMs), ...streamLimitsOf(this.#database, maxRows) };
    return await this.#timed(() => transaction.stream(bound, options, sink));
  }

  /** Runs them one after the other. The limit on result bytes is for all of them together. */
  async steps(transaction: MysqlTransaction, steps: readonly Step[], queueMs: number): Promise<Buffer> {
    const results: Buffer[] = [];
    let usedBytes = 0;
    for (const [index, step] of steps.entries()) {
      const json = await withIndexLater(index, this.step(transaction, step, queueMs, usedBytes));
      usedBytes += json.length;
      results.push(json);
    }
    return Buffer.concat([Buffer.from('{"results":['), joined(results), Buffer.from(']}')]);
  }

  async batch(transaction: MysqlTransaction, batch: readonly BoundStatement[]): Promise<Buffer> {
    const results = [];
    const options = { ...this.#scope, limits: limitsOf(this.#call, this.#database) };
    for (const [index, bound] of batch.entries()) {
      const ran = this.#timed(() => transaction.query(bound, options));
      const { affectedRows, changedRows, insertId } = await withIndexLater(index, ran);
      results.push({ affectedRows, changedRows, insertId });
    }
    return Buffer.from(JSON.stringify({ results }));
  }

  #lastMs = 0;

  async #timed<T>(run: () => Promise<T>): Promise<T> {
    this.#call.enter('in_mysql');
    let outcome: StatementOutcome = 'ok';
    try {
      return await run();
    } catch (error) {
      outcome = outcomeOfFailure(error);
      throw error;
    } finally {
      this.#lastMs = this.#call.enter('in_broker');
      this.#metrics.queryDone(this.#database.alias, this.#lastMs, outcome);
    }
  }

  /** The statement's own `timeoutMs` counts if it ends before the call's deadline. */
  #scopeFor(timeoutMs: number | undefined): CallScope {
    const { deadline, signal } = this.#scope;
    if (timeoutMs === undefined) return this.#scope;
    const own = Deadline.after(timeoutMs);
    return { deadline: own.isBefore(deadline) ? own : deadline, signal };
  }
}

/** Adds the statement's index to a failure. */
function withIndex<T>(index: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw indexed(error, index);
  }
}

async function withIndexLater<T>(index: number, work: Promise<T>): Promise<T> {
  return await work.catch((error: unknown) => {
    throw indexed(error, index);
  });
}

function indexed(error: unknown, index: number): unknown {
  return error instanceof BrokerError ? error.with({ details: { ...error.details, index } }) : error;
}
