import {
  BrokerError,
  type BrokerErrorOptions,
  type ErrorCode,
  type LimitFailure,
  type Outcome,
} from '../errors.ts';
import type { ConnectVerdict } from '../pool/connection.ts';
import { NotSentError } from './interrupt.ts';
import type { StatementEffect } from './statement-effect.ts';
import { TLS_FAILURE_TEXT, type TlsFailure } from './tls-failure.ts';

/** MariaDB reuses numbers that mean something else on MySQL, and mysql2 knows only MySQL's names. */
export type Flavour = 'mysql' | 'mariadb';

/** What is known of a failed statement besides the driver's error. */
export interface FailureContext {
  readonly flavour: Flavour;
  /** The statement is known to change nothing. */
  readonly cannotWrite: boolean;
  readonly effect: StatementEffect;
  /** The broker itself made the session READ ONLY for this caller. */
  readonly isReadOnlyCaller: boolean;
  readonly exposeMysqlMessages: boolean;
}

/** The parts of a driver error that we rely on. Server errors have an errno, lost connections none or a negative one. */
export interface DriverError extends Error {
  readonly errno?: number | undefined;
  readonly code?: string | undefined;
  readonly sqlState?: string | undefined;
}

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
  [1836, 'DATABASE_READ_ONLY'],
]);

/** ER_OPTION_PREVENTS_STATEMENT: the server's --read-only, or any other option. */
const OPTION_PREVENTS_STATEMENT = 1290;
/** ER_READ_ONLY_MODE. */
const READ_ONLY_MODE = 1836;
/** ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION: the session's, or a server that became a replica. */
const READ_ONLY_TRANSACTION = 1792;

/** The server's own limit of a statement's time. */
const STATEMENT_TIMEOUT: Readonly<Record<Flavour, number>> = { mysql: 3024, mariadb: 1969 };

/** The server says it is about to hang up, or has lost the thread: the connection is of no more use. */
const CONNECTION_ENDING_ERRNOS = new Set([
  1053, 1152, 1153, 1158, 1159, 1160, 1161, 1184, 1835, 1927, 3168, 3169,
]);
/** ER_CLIENT_INTERACTION_TIMEOUT on MySQL; an ordinary SQL error on MariaDB. */
const MYSQL_INTERACTION_TIMEOUT = 4031;

/** The last number at which MariaDB's names are MySQL's. */
const LAST_SHARED_ERRNO = 1899;

/** Also an account that is locked (3118, MariaDB 4151) or blocked after too many failures (3955, MariaDB 4150). */
const REFUSED_LOGIN_ERRNOS = new Set([1045, 1251, 1524, 1698, 1820, 1862, 3118, 3955, 4150, 4151]);
const SERVER_FULL_ERRNOS = new Set([1040, 1203, 1226]);

/** Whether an error came from the server, about a statement, a ping or a login, over a connection that works. */
export function isServerError(error: unknown): error is DriverError & { readonly errno: number } {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number' && error.errno > 0;
}

/** Whether the connection is of no more use after this error. */
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
  // The server hung up, but not before it had said why: the statement was too large to run.
  const outcome =
    isTooLarge && context.effect !== 'anything' ? 'not_applied' : outcomeOfRefusal(errno, context);
  return new BrokerError(codeOf(error, context), message, { mysql, outcome, cause: error });
}

/** More was answered than the call, or the alias, allows. */
export function resultTooLarge(
  limit: LimitFailure,
  facts: Pick<BrokerErrorOptions, 'outcome' | 'transaction'>,
): BrokerError {
  return new BrokerError('RESULT_TOO_LARGE', `The result exceeds ${limit.name}: ${limit.max}`, {
    limit,
    ...facts,
  });
}

/** Whether a failure says that the server takes no writes. Only its own word confirms it: a caller can raise any error. */
export function saysReadOnlyServer({ errno, message }: DriverError): boolean {
  if (errno === OPTION_PREVENTS_STATEMENT) return /read-only/.test(message);
  return errno === READ_ONLY_TRANSACTION || errno === READ_ONLY_MODE;
}

function codeOf(error: DriverError, { flavour, isReadOnlyCaller }: FailureContext): ErrorCode {
  const errno = error.errno ?? 0;
  if (errno === STATEMENT_TIMEOUT[flavour]) return 'DEADLINE_EXCEEDED';
  if (errno === READ_ONLY_TRANSACTION) return isReadOnlyCaller ? 'READ_ONLY_VIOLATION' : 'DATABASE_READ_ONLY';
  if (errno === OPTION_PREVENTS_STATEMENT && saysReadOnlyServer(error)) return 'DATABASE_READ_ONLY';
  return CODE_BY_ERRNO.get(errno) ?? 'SQL_ERROR';
}

/** mysql2 refuses a command on a connection that it knows to be closed; it gives that error no code. */
function wasNeverSent(error: DriverError): boolean {
  return !isServerError(error) && error.code === undefined && error.message.includes('closed state');
}

/** The driver's error about a login, as callers in line get it. Names no host, user or password. */
export function connectFailure(error: DriverError, tlsFailure?: TlsFailure): BrokerError {
  const cause = { cause: error };
  if (tlsFailure !== undefined) {
    return new BrokerError(
      'DATABASE_UNREACHABLE',
      `The database is not trusted: ${TLS_FAILURE_TEXT[tlsFailure]}`,
      { ...cause, details: { cause: tlsFailure } },
    );
  }
  if (isServerError(error)) {
    const { errno } = error;
    if (REFUSED_LOGIN_ERRNOS.has(errno)) {
      return new BrokerError('CREDENTIALS_REFUSED', `The database refused the login (error ${errno})`, {
        ...cause,
        details: { errno },
      });
    }
    const why = SERVER_FULL_ERRNOS.has(errno)
      ? 'has no room for another connection'
      : 'refused the connection';
    return new BrokerError('DATABASE_UNREACHABLE', `The database ${why} (error ${errno})`, {
      ...cause,
      details: { errno },
    });
  }
  const code = error.code ?? 'no answer';
  return new BrokerError('DATABASE_UNREACHABLE', `The database cannot be reached (${code})`, {
    ...cause,
    details: { cause: code },
  });
}

/** Throws what callers in line are told when the credentials themselves could not be had. */
export function credentialsOverdue(error: unknown): never {
  if (error instanceof BrokerError) throw error;
  throw new BrokerError('DATABASE_UNREACHABLE', 'The credentials could not be read in time', {
    cause: error,
  });
}

/** What a failed connect means for the pool. */
export function connectVerdict(error: unknown): ConnectVerdict {
  if (!(error instanceof BrokerError) || error.code !== 'DATABASE_UNREACHABLE') return 'refused';
  const { errno, cause } = error.details ?? {};
  if (typeof cause === 'string' && Object.hasOwn(TLS_FAILURE_TEXT, cause)) return 'refused';
  if (typeof errno !== 'number') return 'outage';
  return SERVER_FULL_ERRNOS.has(errno) ? 'full' : 'refused';
}

/** Whether a refused login may mean that the password was rotated. */
export function isRefusedLogin(error: unknown): boolean {
  return error instanceof BrokerError && error.code === 'CREDENTIALS_REFUSED';
}

/** What became of a statement that was interrupted and ended with `error`, or ended all the same. */
export function outcomeAfterInterrupt(
  error: DriverError | undefined,
  context: Pick<FailureContext, 'cannotWrite' | 'effect' | 'isReadOnlyCaller'>,
): Outcome {
  if (context.cannotWrite || error instanceof NotSentError) return 'not_applied';
  if (error === undefined) return 'applied';
  return isServerError(error) ? outcomeOfRefusal(error.errno, context) : 'unknown';
}

/**
 * What is left of a statement that the server answered with an error. Its number proves nothing: a function may raise
 * any. Only a READ ONLY session refuses all but a CALL before it begins.
 */
function outcomeOfRefusal(
  errno: number,
  {
    cannotWrite,
    effect,
    isReadOnlyCaller,
  }: Pick<FailureContext, 'cannotWrite' | 'effect' | 'isReadOnlyCaller'>,
): Outcome {
  if (cannotWrite || effect === 'all_or_nothing') return 'not_applied';
  const isRefused = isReadOnlyCaller && errno === READ_ONLY_TRANSACTION;
  return effect === 'parts' && isRefused ? 'not_applied' : 'unknown';
}
