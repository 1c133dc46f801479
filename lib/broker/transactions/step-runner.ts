import { Deadline } from '../../async/deadline.ts';
import type { CallScope } from '../../async/interruptible.ts';
import { BrokerError } from '../../errors.ts';
import { isForSequence } from '../../mysql/connection/statement-sequence.ts';
import type { ResultLimits, StatementResult } from '../../mysql/result/result-collector.ts';
import type { NdjsonSink, StreamResult } from '../../mysql/result/row-stream.ts';
import type { BoundStatement } from '../../mysql/sql/binding/bind.ts';
import type { MysqlTransaction } from '../../mysql/transaction/transaction.ts';
import type { SequenceStep } from '../../mysql/transaction/transaction-sequence.ts';
import type { Database } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import type { Metrics } from '../observability/metrics.ts';
import { outcomeOfFailure, type StatementOutcome } from '../observability/statement-outcome.ts';
import { joined, limitsOf, refuseIfTooLarge, resultJson } from '../requests/sql-request.ts';
import { streamLimitsOf } from '../streams/answer-with-stream.ts';
import { indexed, type Step, withIndexLater } from './transaction-steps.ts';

/** The state of a statement whose transaction is still open. */
const NOT_COMMITTED = { outcome: 'not_applied', transaction: 'open' } as const;

/** Runs the statements of a call in its transaction. Results are the JSON that callers get. */
export class StepRunner {
  readonly #database: Database;
  readonly #metrics: Metrics;
  readonly #call: Call;
  readonly #scope: CallScope;
  /** How long the last statement took. */
  #lastMs = 0;

  constructor(database: Database, metrics: Metrics, call: Call, scope: CallScope) {
    this.#database = database;
    this.#metrics = metrics;
    this.#call = call;
    this.#scope = scope;
  }

  /** @throws {BrokerError} with `transaction`; EXPECTATION_FAILED: it affected another number of rows than expected. */
  async step(transaction: MysqlTransaction, step: Step, queueMs: number, usedBytes = 0): Promise<Buffer> {
    const limits = this.#limitsOf(step, usedBytes);
    const scope = this.#scopeFor(step.statement.timeoutMs);
    const result = await this.#timed(() => transaction.query(step.bound, { ...scope, limits }));
    return this.#jsonOf(step, result, limits, queueMs);
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

  /**
   * Runs them in order, those that can be sent at once with one round trip. The limit on result bytes is for all of
   * them together.
   */
  async steps(transaction: MysqlTransaction, steps: readonly Step[], queueMs: number): Promise<Buffer> {
    const results: Buffer[] = [];
    let usedBytes = 0;
    const add = (json: Buffer) => {
      usedBytes += json.length;
      results.push(json);
    };
    for (const { isAtOnce, steps: portion } of portionsOf(steps, transaction)) {
      if (!isAtOnce) {
        for (const step of portion) {
          add(await withIndexLater(results.length, this.step(transaction, step, queueMs, usedBytes)));
        }
        continue;
      }
      const statements = portion.map((each) => ({
        bound: each.bound,
        limits: () => this.#limitsOf(each, usedBytes),
        onResult: (result: StatementResult) =>
          add(this.#jsonOf(each, result, this.#limitsOf(each, usedBytes), queueMs)),
      }));
      await this.#several(transaction, statements, results.length);
    }
    return Buffer.concat([Buffer.from('{"results":['), joined(results), Buffer.from(']}')]);
  }

  async batch(transaction: MysqlTransaction, batch: readonly BoundStatement[]): Promise<Buffer> {
    const results: Pick<StatementResult, 'affectedRows' | 'changedRows' | 'insertId'>[] = [];
    const limits = limitsOf(this.#call, this.#database);
    const add = ({ affectedRows, changedRows, insertId }: StatementResult) => {
      results.push({ affectedRows, changedRows, insertId });
    };
    if (transaction.takesSeveral && batch.every(isForSequence)) {
      // The next call of an open transaction may ask for what the last set has left.
      const atOnce = transaction.hasBegun ? batch.slice(0, -1) : batch;
      const statements = atOnce.map((bound) => ({ bound, limits: () => limits, onResult: add }));
      if (statements.length > 0) await this.#several(transaction, statements, 0);
    }
    for (const bound of batch.slice(results.length)) {
      const ran = this.#timed(() => transaction.query(bound, { ...this.#scope, limits }));
      add(await withIndexLater(results.length, ran));
    }
    return Buffer.from(JSON.stringify({ results }));
  }

  /** Runs statements that are sent at once; the first of them has the index `first`. */
  async #several(
    transaction: MysqlTransaction,
    statements: readonly SequenceStep[],
    first: number,
  ): Promise<void> {
    const { alias } = this.#database;
    let index = first;
    let refusal: unknown;
    const steps = statements.map(({ bound, limits, onResult }) => ({
      bound,
      limits,
      onResult: (result: StatementResult) => {
        this.#lastMs = this.#call.enter('in_mysql');
        this.#metrics.queryDone(alias, this.#lastMs, 'ok');
        try {
          onResult(result);
        } catch (error) {
          refusal = indexed(error, index);
          throw refusal;
        }
        index += 1;
      },
    }));
    this.#call.enter('in_mysql');
    try {
      await transaction.querySeveral(steps, this.#scope);
      this.#call.enter('in_broker');
    } catch (error) {
      const tookMs = this.#call.enter('in_broker');
      if (refusal !== undefined) throw error;
      this.#metrics.queryDone(alias, tookMs, outcomeOfFailure(error));
      throw transaction.hasBegun ? indexed(error, index) : error;
    }
  }

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

  #limitsOf({ statement }: Step, usedBytes: number): ResultLimits {
    return limitsOf(this.#call, this.#database, statement.maxRows, usedBytes);
  }

  /** @throws {BrokerError} EXPECTATION_FAILED, RESULT_TOO_LARGE. */
  #jsonOf(
    { statement: { expect } }: Step,
    result: StatementResult,
    limits: ResultLimits,
    queueMs: number,
  ): Buffer {
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

  /** The statement's own `timeoutMs` counts if it ends before the call's deadline. */
  #scopeFor(timeoutMs: number | undefined): CallScope {
    const { deadline, signal } = this.#scope;
    if (timeoutMs === undefined) return this.#scope;
    const own = Deadline.after(timeoutMs);
    return { deadline: own.isBefore(deadline) ? own : deadline, signal };
  }
}

function isSentWithOthers({ statement, bound }: Step, { takesSeveral }: MysqlTransaction): boolean {
  // All of them wait for the same deadline.
  return takesSeveral && statement.timeoutMs === undefined && isForSequence(bound);
}

interface Portion {
  readonly steps: readonly Step[];
  readonly isAtOnce: boolean;
}

/**
 * Splits them into those that are sent at once and those that are sent one by one. What stands before one of these is
 * one of these: it may be asked for its ROW_COUNT().
 */
function* portionsOf(steps: readonly Step[], transaction: MysqlTransaction): Generator<Portion> {
  let atOnce: Step[] = [];
  for (const step of steps) {
    if (isSentWithOthers(step, transaction)) {
      atOnce.push(step);
      continue;
    }
    const last = atOnce.pop();
    if (atOnce.length > 0) yield { steps: atOnce, isAtOnce: true };
    yield { steps: last === undefined ? [step] : [last, step], isAtOnce: false };
    atOnce = [];
  }
  // The first statement takes what begins the transaction along.
  if (atOnce.length > 0) yield { steps: atOnce, isAtOnce: atOnce.length > 1 || !transaction.hasBegun };
}
