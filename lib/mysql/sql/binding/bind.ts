import { inTurns, type Parts } from '../../../async/turns.ts';
import { BrokerError } from '../../../errors.ts';
import type { Params } from '../../../protocol/values.ts';
import type { SqlMode } from '../lexer/sql-mode.ts';
import { cachedScan } from '../scan-cache.ts';
import type { StatementContext } from '../statement-context.ts';
import { MAX_PLACEHOLDERS, type StatementScan, scanInParts } from '../statement-scan.ts';
import { textInParts, textOf } from './literal.ts';
import { PlaceholderValues, tooManyValues } from './placeholder-values.ts';
import type { SqlText } from './sql-text.ts';

/** A statement that may be sent, and the facts from its scan. */
export interface BoundStatement
  extends Pick<
    StatementScan,
    | 'isPlain'
    | 'isRead'
    | 'effect'
    | 'rowCounts'
    | 'mayEndTransaction'
    | 'outsideTransactionOnly'
    | 'needsWriteAccess'
    | 'readsLastStatement'
  > {
  /** The same object each time that a text comes again soon: the key of what is known of the text. */
  readonly source: object;
  /** Built at each access: a waiting call holds only what its caller sent. */
  readonly text: SqlText;
  /** It takes long to build: `textInTurns` lets other calls be served meanwhile. */
  readonly isLong: boolean;
  textInTurns(): Promise<SqlText>;
}

/**
 * Writes the values into the SQL text, each as one literal, for a session in the given mode whose character set is
 * utf8mb4. An array fills `?`, an object fills `:name`. The text must be one statement that callers may run in this
 * context; a closing `;` and comments after it are left out.
 *
 * @param maxBytes of the text with its values.
 * @throws {BrokerError} INVALID_REQUEST: the text cannot be read, or values and placeholders do not match.
 *   STATEMENT_NOT_ALLOWED: several statements, or one that may not run in this context. REQUEST_TOO_LARGE.
 */
export function bindStatement(
  sql: string,
  params: Params | undefined,
  mode: SqlMode,
  context: StatementContext,
  maxBytes?: number,
): BoundStatement {
  return statementBinder(sql, mode, context, maxBytes)(params);
}

/** Binds sets of values to one statement, as `bindStatement` does. */
export type StatementBinder = (params: Params | undefined) => BoundStatement;

/** `bindStatement` for many sets of values: the text is scanned only once. */
export function statementBinder(
  sql: string,
  mode: SqlMode,
  context: StatementContext,
  maxBytes?: number,
): StatementBinder {
  return binderOf(sql, scanAllowed(sql, mode, context), mode, maxBytes);
}

/** `statementBinder` in parts. */
export function* statementBinderInParts(
  sql: string,
  mode: SqlMode,
  context: StatementContext,
  maxBytes?: number,
): Parts<StatementBinder> {
  return binderOf(sql, yield* scanAllowedInParts(sql, mode, context), mode, maxBytes);
}

function binderOf(
  sql: string,
  scan: StatementScan,
  mode: SqlMode,
  maxBytes = Number.POSITIVE_INFINITY,
): StatementBinder {
  const values = new PlaceholderValues(sql, scan, mode);
  return (params) => {
    const isLong = values.check(params, maxBytes);
    return new CheckedStatement(scan, values, params, isLong);
  };
}

class CheckedStatement implements BoundStatement {
  readonly source: object;
  readonly isPlain: boolean;
  readonly isRead: boolean;
  readonly effect: StatementScan['effect'];
  readonly rowCounts: StatementScan['rowCounts'];
  readonly mayEndTransaction: boolean;
  readonly outsideTransactionOnly: string | undefined;
  readonly needsWriteAccess: string | undefined;
  readonly readsLastStatement: boolean;
  readonly isLong: boolean;
  readonly #values: PlaceholderValues;
  readonly #params: Params | undefined;

  constructor(scan: StatementScan, values: PlaceholderValues, params: Params | undefined, isLong: boolean) {
    this.source = scan;
    this.isPlain = scan.isPlain;
    this.isRead = scan.isRead;
    this.effect = scan.effect;
    this.rowCounts = scan.rowCounts;
    this.mayEndTransaction = scan.mayEndTransaction;
    this.readsLastStatement = scan.readsLastStatement;
    this.outsideTransactionOnly = scan.outsideTransactionOnly;
    this.needsWriteAccess = scan.needsWriteAccess;
    this.#values = values;
    this.#params = params;
    this.isLong = isLong;
  }

  get text(): SqlText {
    return this.#values.write(this.#params);
  }

  async textInTurns(): Promise<SqlText> {
    return await inTurns(this.#values.writeInParts(this.#params));
  }
}

/** A prepared text must itself be allowed in the context. */
function scanAllowed(sql: string, mode: SqlMode, context: StatementContext): StatementScan {
  const scan = cachedScan(sql, mode);
  refuseUnlessAllowed(scan, context);
  const { preparedText } = scan;
  if (preparedText) scanAllowed(textOf(sql.slice(preparedText.start, preparedText.end), mode), mode, context);
  return scan;
}

function* scanAllowedInParts(sql: string, mode: SqlMode, context: StatementContext): Parts<StatementScan> {
  const scan = yield* scanInParts(sql, mode);
  refuseUnlessAllowed(scan, context);
  const { preparedText } = scan;
  if (preparedText) {
    const prepared = yield* textInParts(sql.slice(preparedText.start, preparedText.end), mode);
    yield* scanAllowedInParts(prepared, mode, context);
  }
  yield;
  return scan;
}

function refuseUnlessAllowed(scan: StatementScan, context: StatementContext): void {
  const { length } = scan.placeholders;
  if (length > MAX_PLACEHOLDERS) throw tooManyValues('placeholders or more', length);
  if (scan.unreadable !== undefined) throw invalid(`the statement cannot be read: ${scan.unreadable}`);
  if (scan.isEmpty) throw invalid('the statement is empty');
  const reason = reasonToRefuse(scan, context);
  if (reason !== undefined) throw new BrokerError('STATEMENT_NOT_ALLOWED', reason);
}

function reasonToRefuse(scan: StatementScan, context: StatementContext): string | undefined {
  const { forbidden, onlyInTransaction, outsideTransactionOnly } = scan;
  if (scan.hasSeveralStatements) return 'one statement per call';
  if (forbidden !== undefined) return `${forbidden} is not allowed`;
  if (context === 'standalone') {
    return onlyInTransaction && `${onlyInTransaction} is allowed only inside a transaction`;
  }
  return outsideTransactionOnly && `${outsideTransactionOnly} is allowed only outside a transaction`;
}

function invalid(message: string): BrokerError {
  return new BrokerError('INVALID_REQUEST', message);
}
