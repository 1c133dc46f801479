import { Statement } from '../protocol/query.ts';
import { Batch, TransactionBody, type TransactionTerms } from '../protocol/transaction.ts';
import { checkArguments } from './check-arguments.ts';
import { type ParamValues, toWireParams } from './params.ts';

/** A statement of a transaction in one request. */
export interface TransactionStatement {
  readonly sql: string;
  /** Values for `?` in order, or for `:name` by name. */
  readonly params?: ParamValues | undefined;
  /** If it affects another number of rows, the transaction is rolled back and fails with `EXPECTATION_FAILED`. */
  readonly expect?: { readonly affectedRows: number } | undefined;
  /** More rows than this are refused. */
  readonly maxRows?: number | undefined;
}

// Values are converted to the protocol's; everything else is checked by the protocol's schema.

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
  mode: TransactionTerms,
): TransactionBody {
  return checkArguments(TransactionBody, {
    statements: eachOf(statements, (statement, index) => withWireParams(statement, `statements[${index}].`)),
    ...mode,
  });
}

function withWireParams(statement: unknown, path: string): unknown {
  if (!isRecord(statement)) return statement;
  const { params, ...rest } = statement;
  return params === undefined ? rest : { ...rest, params: toWireParams(params, `${path}params`) };
}

function isRecord(statement: unknown): statement is Readonly<Record<string, unknown>> {
  return typeof statement === 'object' && statement !== null;
}

function eachOf<T>(given: readonly T[], change: (item: T, index: number) => unknown): unknown {
  return Array.isArray(given) ? given.map(change) : given;
}

/** The first word, after blanks, parentheses and comments, but not executable ones. */
const FIRST_WORD = /^(?:[\s(]|\/\*(?!M?!)[\s\S]*?\*\/|(?:#|--\s)[^\n]*\n)*(\w+)/i;

const firstWord = (sql: string): string => FIRST_WORD.exec(sql)?.[1]?.toUpperCase() ?? '';

/** Whether it surely writes nothing, but for the user's own functions. */
export function startsWithSelect(sql: string): boolean {
  return firstWord(sql) === 'SELECT';
}

/** Whether it wrote nothing, but for the user's own functions, if it has returned rows. */
export function onlyReads(sql: string): boolean {
  return /^(SELECT|WITH|VALUES|TABLE|SHOW|DESC|DESCRIBE|EXPLAIN)$/.test(firstWord(sql));
}

/** Whether a rollback still undoes its transaction after it. A procedure can commit. */
export function cannotCommit(sql: string): boolean {
  return /^(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|SAVEPOINT|RELEASE|ROLLBACK)$/.test(firstWord(sql));
}
