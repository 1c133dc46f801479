import { NotSentError } from '../async/interruptible.ts';
import {
  BrokerError,
  type BrokerErrorOptions,
  type ErrorCode,
  type LimitFailure,
  type Outcome,
} from '../errors.ts';
import type { StatementEffect } from './sql/statement-effect.ts';

/** The two servers use some error numbers differently, and mysql2 knows only MySQL's names. */
export type Flavour = 'mysql' | 'mariadb';

/** Facts about a failed statement besides the driver's error. */
export interface FailureContext {
  readonly flavour: Flavour;
  /** The statement is known to change nothing. */
  readonly cannotWrite: boolean;
  readonly effect: StatementEffect;
  /** The broker made the session READ ONLY for this caller. */
  readonly isReadOnlyCaller: boolean;
  /** The server says that it is read-only. */
  readonly isReadOnlyServer: boolean;
  readonly exposeMysqlMessages: boolean;
}

/** The parts of a driver error that are used. Server errors have an errno, lost connections none or a negative one. */
export interface DriverError extends Error {
  readonly errno?: number | undefined;
  readonly code?: string | undefined;
  readonly sqlState?: string | undefined;
}

export type ServerError = DriverError & { readonly errno: number };

const CODE_BY_ERRNO: ReadonlyMap<number, ErrorCode> = new Map([
  [1062, 'DUPLICATE_KEY'],
  [1586, 'DUPLICATE_KEY'],
  [1048, 'CONSTRAINT_VIOLATION'],
  [1216, 'CONSTRAINT_VIOLATION'],
  [1217, 'CONSTRAINT_VIOLATION'],
  [1451, 'CONSTRAINT_VIOLATION'],
  [1452, 'CONSTRAINT_VIOLATION'],
  [3819, 'CONSTRAINT_VIOLATION'],
  [4025, 'CONSTRAINT_VIOLATION'],
  [1213, 'DEADLOCK'],
  [1205, 'LOCK_TIMEOUT'],
  [3572, 'LOCK_TIMEOUT'],
]);

/** ER_OPTION_PREVENTS_STATEMENT: the server's --read-only, or any other option. */
const OPTION_PREVENTS_STATEMENT = 1290;
/** ER_READ_ONLY_MODE. */
const READ_ONLY_MODE = 1836;
/** ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION: the session's, or a server that became a replica. */
const READ_ONLY_TRANSACTION = 1792;

/** ER_PARSE_ERROR. */
const PARSE_ERROR = 1064;

/** The server's own limit of a statement's time. */
const STATEMENT_TIMEOUT: Readonly<Record<Flavour, number>> = { mysql: 3024, mariadb: 1969 };

/** Errors after which the server closes the connection, or its protocol state is lost. */
const CONNECTION_ENDING_ERRNOS = new Set([
  1053, 1152, 1153, 1158, 1159, 1160, 1161, 1184, 1835, 1927, 3168, 3169,
]);
/** ER_CLIENT_INTERACTION_TIMEOUT on MySQL; an ordinary SQL error on MariaDB. */
const MYSQL_INTERACTION_TIMEOUT = 4031;

/** The last number at which MariaDB's names are MySQL's. */
const LAST_SHARED_ERRNO = 1899;

/** Whether an error came from the server, about a statement, a ping or a login, over a connection that works. */
export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number' && error.errno > 0;
}

/** Whether the connection is unusable after this error. */
export function endsConnection(error: DriverError, flavour: Flavour): boolean {
  if (error instanceof NotSentError) return false;
  if (!isServerError(error)) return true;
  if (error.errno === MYSQL_INTERACTION_TIMEOUT) return flavour === 'mysql';
  return CONNECTION_ENDING_ERRNOS.has(error.errno);
}

/** The driver's error about a statement, as the caller gets it. */
export function statementFailure(error: DriverError, context: FailureContext): BrokerError {
  const lost = endsConnection(error, context.flavour);
  const isTooLarge = error.errno === 1153;
  if (lost && !isTooLarge) {
    return new BrokerError('CONNECTION_LOST', 'The connection to the database was lost', {
      outcome: wasNeverSent(error) || context.cannotWrite ? 'not_applied' : 'unknown',
      cause: error,
    });
  }
  const errno = error.errno ?? 0;
  const name = errno <= LAST_SHARED_ERRNO || context.flavour === 'mysql' ? error.code : undefined;
  const mysql = { errno, sqlState: error.sqlState ?? '', ...(name === undefined ? {} : { name }) };
  const message = context.exposeMysqlMessages
    ? error.message
    : `MySQL refused the statement with error ${errno}`;
  // The server hung up after it had said why: the statement was too large to run.
  const outcome =
    isTooLarge && context.effect !== 'anything' ? 'not_applied' : outcomeOfRefusal(errno, context);
  return new BrokerError(codeOf(error, context), message, { mysql, outcome, cause: error });
}

/** The result is larger than the call or the alias allows. */
export function resultTooLarge(
  limit: LimitFailure,
  facts: Pick<BrokerErrorOptions, 'outcome' | 'transaction'>,
): BrokerError {
  return new BrokerError('RESULT_TOO_LARGE', `The result exceeds ${limit.name}: ${limit.max}`, {
    limit,
    ...facts,
  });
}

/**
 * Whether a failure says that the server is read-only. It must be confirmed: a procedure can raise any error, and a
 * session can be READ ONLY by its settings.
 */
export function saysReadOnlyServer({ errno, message }: DriverError): boolean {
  if (errno === OPTION_PREVENTS_STATEMENT) return /read-only/.test(message);
  return errno === READ_ONLY_TRANSACTION || errno === READ_ONLY_MODE;
}

function codeOf(
  error: DriverError,
  { flavour, isReadOnlyCaller, isReadOnlyServer }: FailureContext,
): ErrorCode {
  const errno = error.errno ?? 0;
  if (errno === STATEMENT_TIMEOUT[flavour]) return 'DEADLINE_EXCEEDED';
  if (errno === READ_ONLY_TRANSACTION && isReadOnlyCaller) return 'READ_ONLY_VIOLATION';
  if (isReadOnlyServer && saysReadOnlyServer(error)) return 'DATABASE_READ_ONLY';
  return CODE_BY_ERRNO.get(errno) ?? 'SQL_ERROR';
}

/** mysql2 refuses a command on a closed connection with an error without a code. */
function wasNeverSent(error: DriverError): boolean {
  return !isServerError(error) && error.code === undefined && error.message.includes('closed state');
}

/** The outcome of a statement that was interrupted, and ended with `error` or successfully. */
export function outcomeAfterInterrupt(
  error: DriverError | undefined,
  context: Pick<FailureContext, 'cannotWrite' | 'effect' | 'isReadOnlyCaller'>,
): Outcome {
  if (context.cannotWrite || error instanceof NotSentError) return 'not_applied';
  if (error === undefined) return 'applied';
  return isServerError(error) ? outcomeOfRefusal(error.errno, context) : 'unknown';
}

/**
 * The outcome of a statement that the server answered with an error. The number proves nothing if a function may have
 * raised it. But the server parses the whole text before it runs any of it, and a READ ONLY session refuses everything
 * but a CALL before it begins.
 */
function outcomeOfRefusal(
  errno: number,
  {
    cannotWrite,
    effect,
    isReadOnlyCaller,
  }: Pick<FailureContext, 'cannotWrite' | 'effect' | 'isReadOnlyCaller'>,
): Outcome {
  if (cannotWrite || effect === 'nothing' || effect === 'all_or_nothing') return 'not_applied';
  if (effect === 'anything') return 'unknown';
  if (effect !== 'parts' && errno === PARSE_ERROR) return 'not_applied';
  const isRefused = isReadOnlyCaller && errno === READ_ONLY_TRANSACTION;
  return effect !== 'anything_once_parsed' && isRefused ? 'not_applied' : 'unknown';
}

/** Why a connection was lost, without the message, which may repeat values. */
export function lossReason(error: DriverError): string {
  return isServerError(error) ? `error ${error.errno}` : (error.code ?? 'closed by the server');
}
