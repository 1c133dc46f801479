import { Statement } from '../protocol/query.ts';
import { Batch, Transaction, type TransactionTerms } from '../protocol/transaction.ts';
import { checkArguments } from './check-arguments.ts';
import { type ParamValues, toWireParams } from './params.ts';

/** A statement of a transaction that is sent whole. */
export interface TransactionStatement {
  readonly sql: string;
  /** Values for `?` in order, or for `:name` by name. */
  readonly params?: ParamValues | undefined;
  /** What it must do; else nothing of the transaction is done, and it fails with `EXPECTATION_FAILED`. */
  readonly expect?: { readonly affectedRows: number } | undefined;
  /** More rows than this are refused. */
  readonly maxRows?: number | undefined;
}

// The values become the protocol's; all else goes as it is to the protocol's schema, which judges it.

/** @throws {BrokerError} `INVALID_REQUEST` */
export function toStatement(sql: string, params?: ParamValues, maxRows?: number): Statement {
  return checkArguments(Statement, withWireParams({ sql, params, maxRows }, ''));
}

/** @throws {BrokerError} `INVALID_REQUEST` */
export function toBatch(sql: string, paramSets: readonly ParamValues[]): Batch {
  return checkArguments(Batch, {
    sql,
    paramSets: eachOf(paramSets, (params, index) => toWireParams(params, `paramSets[${index}]`)),
  });
}

/** @throws {BrokerError} `INVALID_REQUEST` */
export function toTransaction(
  statements: readonly TransactionStatement[],
  terms: TransactionTerms,
): Transaction {
  return checkArguments(Transaction, {
    statements: eachOf(statements, (statement, index) => withWireParams(statement, `statements[${index}].`)),
    ...terms,
  });
}

function withWireParams(statement: unknown, place: string): unknown {
  if (!isRecord(statement)) return statement;
  const { params, ...rest } = statement;
  return params === undefined ? rest : { ...rest, params: toWireParams(params, `${place}params`) };
}

function isRecord(statement: unknown): statement is Readonly<Record<string, unknown>> {
  return typeof statement === 'object' && statement !== null;
}

function eachOf<T>(given: readonly T[], change: (item: T, index: number) => unknown): unknown {
  return Array.isArray(given) ? given.map(change) : given;
}
