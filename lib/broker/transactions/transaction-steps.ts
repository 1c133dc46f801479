import { Deadline } from '../../async/deadline.ts';
import type { CallScope } from '../../async/interruptible.ts';
import type { Parts } from '../../async/turns.ts';
import { BrokerError } from '../../errors.ts';
import type { LineReader, StreamResult } from '../../mysql/result/row-stream.ts';
import {
  type BoundStatement,
  type StatementBinder,
  statementBinder,
  statementBinderInParts,
} from '../../mysql/sql/binding/bind.ts';
import type { Transaction } from '../../mysql/transaction/transaction.ts';
import type { Batch, TransactionStatement } from '../../protocol/transaction.ts';
import type { Database } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import type { Metrics } from '../observability/metrics.ts';
import { outcomeOfFailure, type StatementOutcome } from '../observability/statement-outcome.ts';
import { joined, limitsOf, refuseIfTooLarge, refuseToReader, resultJson } from '../requests/sql-request.ts';
import { streamLimitsOf } from '../streams/answer-with-stream.ts';

/** Of a statement in an open transaction, as long as that is not committed. */
const NOTHING_YET = { outcome: 'not_applied', transaction: 'open' } as const;

const UNTOLD =
  'expect.affectedRows cannot be checked: the server does not tell how many rows a statement affects that has RETURNING, or that runs others (CALL, EXECUTE, ANALYZE)';

/** One statement of a transaction, ready to be run. */
export interface Step {
  readonly statement: TransactionStatement;
  readonly bound: BoundStatement;
}

/** @throws {BrokerError} if the statement may not run in a transaction of this caller. */
export function toStep(call: Call, statement: TransactionStatement, database: Database): Step {
  const { sqlMode, settings } = database;
  const { maxStatementBytes } = settings.limits;
  const bind = statementBinder(statement.sql, sqlMode, 'in_transaction', maxStatementBytes);
  return stepOf(call, statement, bind);
}

/** The same in parts. */
export function* toStepInParts(
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
  refuseToReader(call, bound);
  if (statement.expect !== undefined && bound.rowCounts === 'untold') {
    throw new BrokerError('INVALID_REQUEST', UNTOLD);
  }
  return { statement, bound };
}

/** @throws {BrokerError} for the first that may not run in a transaction of this caller, with its index. */
export function* toSteps(
  call: Call,
  statements: readonly TransactionStatement[],
  database: Database,
): Parts<readonly Step[]> {
  const steps: Step[] = [];
  for (const [index, statement] of statements.entries()) {
    try {
      steps.push(
        call.isLarge ? yield* toStepInParts(call, statement, database) : toStep(call, statement, database),
      );
    } catch (error) {
      throw indexed(error, index);
    }
  }
  return steps;
}

/** The same for one statement and many sets of values, read only once. */
export function* toBatch(
  call: Call,
  { sql, paramSets }: Batch,
  { sqlMode, settings: { limits } }: Database,
): Parts<readonly BoundStatement[]> {
  const terms = [sql, sqlMode, 'in_transaction', limits.maxStatementBytes] as const;
  const bind = call.isLarge ? yield* statementBinderInParts(...terms) : statementBinder(...terms);
  return paramSets.map((params, index) =>
    withIndex(index, () => {
      const bound = bind(params);
      refuseToReader(call, bound);
      return bound;
    }),
  );
}

/** The work of calls in transactions. What it returns is the JSON that callers get. */
export class TransactionWork {
  readonly #database: Database;
  readonly #metrics: Metrics;
  readonly #call: Call;
  readonly #watched: CallScope;

  constructor(database: Database, metrics: Metrics, call: Call, watched: CallScope) {
    this.#database = database;
    this.#metrics = metrics;
    this.#call = call;
    this.#watched = watched;
  }

  /** @throws {BrokerError} with `transaction`; EXPECTATION_FAILED: it did something else than was expected. */
  async step(
    transaction: Transaction,
    { statement, bound }: Step,
    queueMs: number,
    usedBytes = 0,
  ): Promise<Buffer> {
    const { timeoutMs, maxRows, expect } = statement;
    const limits = limitsOf(this.#call, this.#database, maxRows, usedBytes);
    const result = await this.#timed(() =>
      transaction.query(bound, { ...this.#shortened(timeoutMs), limits }),
    );
    const actual = result.affectedRows;
    if (expect !== undefined && actual !== expect.affectedRows) {
      const message = `The statement affected ${actual} rows instead of ${expect.affectedRows}`;
      throw new BrokerError('EXPECTATION_FAILED', message, {
        details: { expected: expect.affectedRows, actual },
      });
    }
    const json = resultJson(result, this.#lastMs, queueMs);
    refuseIfTooLarge(json, limits, NOTHING_YET);
    return json;
  }

  /** The same as `step`, but hands on the rows as they come. */
  async stream(
    transaction: Transaction,
    { statement: { timeoutMs, maxRows }, bound }: Step,
    reader: LineReader,
  ): Promise<StreamResult> {
    const terms = { ...this.#shortened(timeoutMs), ...streamLimitsOf(this.#database, maxRows) };
    return await this.#timed(() => transaction.stream(bound, terms, reader));
  }

  /** One after the other; together their results have the bytes of one reply. */
  async steps(transaction: Transaction, steps: readonly Step[], queueMs: number): Promise<Buffer> {
    const results: Buffer[] = [];
    let usedBytes = 0;
    for (const [index, step] of steps.entries()) {
      const json = await withIndexLater(index, this.step(transaction, step, queueMs, usedBytes));
      usedBytes += json.length;
      results.push(json);
    }
    return Buffer.concat([Buffer.from('{"results":['), joined(results), Buffer.from(']}')]);
  }

  async batch(transaction: Transaction, batch: readonly BoundStatement[]): Promise<Buffer> {
    const results = [];
    const terms = { ...this.#watched, limits: limitsOf(this.#call, this.#database) };
    for (const [index, bound] of batch.entries()) {
      const ran = this.#timed(() => transaction.query(bound, terms));
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
      this.#lastMs = this.#call.enter('here');
      this.#metrics.queryDone(this.#database.alias, this.#lastMs, outcome);
    }
  }

  /** A statement may have a deadline of its own, before the call's. */
  #shortened(timeoutMs: number | undefined): CallScope {
    const { deadline, signal } = this.#watched;
    if (timeoutMs === undefined) return this.#watched;
    const own = Deadline.after(timeoutMs);
    return { deadline: own.isBefore(deadline) ? own : deadline, signal };
  }
}

/** Says of a failure which of several statements it is about. */
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
