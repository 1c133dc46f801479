/** Whether the work of a failed call was applied. `unknown`: it may have been. */
export type Outcome = 'not_applied' | 'applied' | 'unknown';

interface ErrorTraits {
  readonly httpStatus: number;
  /** The cause may pass by itself, so a later retry of the same call can succeed. */
  readonly transient: boolean;
}

/** Short to write: this table is in the bundle of every function. */
function passing(httpStatus: number): ErrorTraits {
  return { httpStatus, transient: true };
}

function lasting(httpStatus: number): ErrorTraits {
  return { httpStatus, transient: false };
}

/** Every way a call can fail. lib/protocol/README.md explains each code under the same name. */
export const ERROR_TRAITS = {
  INVALID_REQUEST: lasting(400),
  SQL_ERROR: lasting(400),
  READ_ONLY_VIOLATION: lasting(400),
  STATEMENT_NOT_ALLOWED: lasting(400),
  UNAUTHENTICATED: lasting(401),
  FORBIDDEN: lasting(403),
  UNKNOWN_DATABASE: lasting(404),
  TRANSACTION_NOT_FOUND: lasting(404),
  NOT_FOUND: lasting(404),
  METHOD_NOT_ALLOWED: lasting(405),
  REQUEST_TIMEOUT: passing(408),
  DUPLICATE_KEY: lasting(409),
  CONSTRAINT_VIOLATION: lasting(409),
  DEADLOCK: passing(409),
  LOCK_TIMEOUT: passing(409),
  EXPECTATION_FAILED: lasting(409),
  IDEMPOTENCY_IN_PROGRESS: passing(409),
  TRANSACTION_ENDED: lasting(410),
  REQUEST_TOO_LARGE: lasting(413),
  UNSUPPORTED_MEDIA_TYPE: lasting(415),
  RESULT_TOO_LARGE: lasting(422),
  IDEMPOTENCY_MISMATCH: lasting(422),
  QUEUE_FULL: passing(429),
  TOO_MANY_TRANSACTIONS: passing(429),
  TOO_MANY_STREAMS: passing(429),
  HEADERS_TOO_LARGE: lasting(431),
  INTERNAL: lasting(500),
  DATABASE_UNREACHABLE: passing(502),
  CREDENTIALS_REFUSED: lasting(502),
  CONNECTION_LOST: passing(502),
  /** From the client: the broker sent no usable reply. */
  BROKER_UNREACHABLE: passing(502),
  OVERLOADED: passing(503),
  POOL_TIMEOUT: passing(503),
  DRAINING: passing(503),
  DATABASE_READ_ONLY: passing(503),
  DEADLINE_EXCEEDED: passing(504),
} satisfies Record<string, ErrorTraits>;

export type ErrorCode = keyof typeof ERROR_TRAITS;

/** Whether a string from a reply is a known code. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_TRAITS, code);
}

/** MySQL's error for a failed statement. */
export interface MysqlFailure {
  readonly errno: number;
  readonly sqlState: string;
  /** The symbolic name, if the broker knows it for this kind of server. */
  readonly name?: string | undefined;
}

/** The limit that a call exceeded. */
export interface LimitFailure {
  readonly name: string;
  readonly max: number;
  readonly actual: number;
}

/** Small facts for logs and callers. Never SQL text, values, user names, hosts or credentials. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

export interface BrokerErrorOptions extends ErrorOptions {
  /** Default `not_applied`. */
  readonly outcome?: Outcome | undefined;
  readonly mysql?: MysqlFailure | undefined;
  readonly limit?: LimitFailure | undefined;
  /** Whether the call's transaction is still open. */
  readonly transaction?: 'open' | 'ended' | undefined;
  readonly reason?: string | undefined;
  readonly details?: ErrorDetails | undefined;
  /** Default: that of the code. False: this cause of it does not pass by itself. */
  readonly isTransient?: boolean | undefined;
  /** The id of the failed request; the client takes it from the reply. */
  readonly requestId?: string | undefined;
}

/** Base of every error that this package throws on purpose. Match on `code`: it is stable across versions. */
export class BrokerError extends Error {
  readonly code: ErrorCode;
  readonly outcome: Outcome;
  readonly mysql: MysqlFailure | undefined;
  readonly limit: LimitFailure | undefined;
  readonly transaction: 'open' | 'ended' | undefined;
  /** A stable word or a short text, such as why a transaction ended. */
  readonly reason: string | undefined;
  readonly details: ErrorDetails | undefined;
  /** The cause may pass by itself. */
  readonly isTransient: boolean;
  readonly requestId: string | undefined;

  constructor(code: ErrorCode, message: string, options: BrokerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BrokerError';
    this.code = code;
    this.outcome = options.outcome ?? 'not_applied';
    this.mysql = options.mysql;
    this.limit = options.limit;
    this.transaction = options.transaction;
    this.reason = options.reason;
    this.details = options.details;
    this.isTransient = options.isTransient ?? ERROR_TRAITS[code].transient;
    this.requestId = options.requestId;
  }

  /** The failure is transient and nothing was applied: the same call can be retried. */
  get retryable(): boolean {
    return this.isTransient && this.outcome === 'not_applied';
  }

  /** A copy with more facts. */
  with(options: Pick<BrokerErrorOptions, 'outcome' | 'transaction' | 'reason' | 'details'>): BrokerError {
    return new BrokerError(this.code, this.message, { ...this, cause: this.cause, ...options });
  }

  /** The status of the broker's reply for this code. */
  get httpStatus(): number {
    return ERROR_TRAITS[this.code].httpStatus;
  }
}

/** Throws on a state that must be impossible. Callers see INTERNAL. */
export function assert(condition: boolean, impossible: string): asserts condition {
  if (!condition) throw new Error(`Impossible: ${impossible}`);
}
