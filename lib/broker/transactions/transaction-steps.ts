import type { Parts } from '../../async/turns.ts';
import { BrokerError } from '../../errors.ts';
import {
  type BoundStatement,
  type StatementBinder,
  statementBinder,
  statementBinderInParts,
} from '../../mysql/sql/binding/bind.ts';
import type { Batch, TransactionStatement } from '../../protocol/transaction.ts';
import type { Database } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import { refuseWithoutWriteAccess } from '../requests/sql-request.ts';

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

/** Adds the statement's index to a failure. */
function withIndex<T>(index: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw indexed(error, index);
  }
}

export async function withIndexLater<T>(index: number, work: Promise<T>): Promise<T> {
  return await work.catch((error: unknown) => {
    throw indexed(error, index);
  });
}

export function indexed(error: unknown, index: number): unknown {
  return error instanceof BrokerError ? error.with({ details: { ...error.details, index } }) : error;
}
