/** May the work that a failed call asked for have happened? */
export type Outcome = 'not_applied' | 'applied' | 'unknown';

interface ErrorTraits {
  readonly httpStatus: number;
  /** The cause may pass by itself: the same call, sent again later, can succeed. */
  readonly transient: boolean;
}

/** Every way a call can fail. The README explains each code under the same name. */
export const ERROR_TRAITS = {
  INVALID_REQUEST: { httpStatus: 400, transient: false },
  SQL_ERROR: { httpStatus: 400, transient: false },
  READ_ONLY_VIOLATION: { httpStatus: 400, transient: false },
  STATEMENT_NOT_ALLOWED: { httpStatus: 400, transient: false },
  UNAUTHENTICATED: { httpStatus: 401, transient: false },
  FORBIDDEN: { httpStatus: 403, transient: false },
  UNKNOWN_DATABASE: { httpStatus: 404, transient: false },
  TRANSACTION_NOT_FOUND: { httpStatus: 404, transient: false },
  NOT_FOUND: { httpStatus: 404, transient: false },
  METHOD_NOT_ALLOWED: { httpStatus: 405, transient: false },
  REQUEST_TIMEOUT: { httpStatus: 408, transient: true },
  DUPLICATE_KEY: { httpStatus: 409, transient: false },
  CONSTRAINT_VIOLATION: { httpStatus: 409, transient: false },
  DEADLOCK: { httpStatus: 409, transient: true },
  LOCK_TIMEOUT: { httpStatus: 409, transient: true },
  EXPECTATION_FAILED: { httpStatus: 409, transient: false },
  IDEMPOTENCY_IN_PROGRESS: { httpStatus: 409, transient: true },
  TRANSACTION_ENDED: { httpStatus: 410, transient: false },
  REQUEST_TOO_LARGE: { httpStatus: 413, transient: false },
  UNSUPPORTED_MEDIA_TYPE: { httpStatus: 415, transient: false },
  RESULT_TOO_LARGE: { httpStatus: 422, transient: false },
  IDEMPOTENCY_MISMATCH: { httpStatus: 422, transient: false },
  QUEUE_FULL: { httpStatus: 429, transient: true },
  TOO_MANY_TRANSACTIONS: { httpStatus: 429, transient: true },
  TOO_MANY_STREAMS: { httpStatus: 429, transient: true },
  HEADERS_TOO_LARGE: { httpStatus: 431, transient: false },
  INTERNAL: { httpStatus: 500, transient: false },
  DATABASE_UNREACHABLE: { httpStatus: 502, transient: true },
  CREDENTIALS_REFUSED: { httpStatus: 502, transient: false },
  CONNECTION_LOST: { httpStatus: 502, transient: true },
  /** The client's own: no usable answer came from the broker. */
  BROKER_UNREACHABLE: { httpStatus: 502, transient: true },
  POOL_TIMEOUT: { httpStatus: 503, transient: true },
  DRAINING: { httpStatus: 503, transient: true },
  DATABASE_READ_ONLY: { httpStatus: 503, transient: true },
  DEADLINE_EXCEEDED: { httpStatus: 504, transient: true },
} as const satisfies Record<string, ErrorTraits>;

export type ErrorCode = keyof typeof ERROR_TRAITS;

/** Whether a string that came over the wire is one of our codes. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_TRAITS, code);
}

/** What MySQL said of a failed statement. */
export interface MysqlFailure {
  readonly errno: number;
  readonly sqlState: string;
  /** Symbolic name, where the broker knows it for this server's flavour. */
  readonly name?: string | undefined;
}

/** The bound that a call ran into. */
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
  /** Whether the transaction that the call belonged to goes on. */
  readonly transaction?: 'open' | 'ended' | undefined;
  readonly reason?: string | undefined;
  readonly details?: ErrorDetails | undefined;
  /** Default: as the table has it for the code. False: this one of its causes does not pass by itself. */
  readonly isTransient?: boolean | undefined;
  /** The request this failure answers; the client takes it from the reply. */
  readonly requestId?: string | undefined;
}

/** Base of every error that this package throws on purpose. Match on `code`: it is stable across versions. */
export class BrokerError extends Error {
  readonly code: ErrorCode;
  readonly outcome: Outcome;
  readonly mysql: MysqlFailure | undefined;
  readonly limit: LimitFailure | undefined;
  readonly transaction: 'open' | 'ended' | undefined;
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

  /** The failure is transient and nothing was applied: the same call can be sent again. */
  get retryable(): boolean {
    return this.isTransient && this.outcome === 'not_applied';
  }

  /** The same failure, with more known about it. */
  with(options: Pick<BrokerErrorOptions, 'outcome' | 'transaction' | 'reason' | 'details'>): BrokerError {
    return new BrokerError(this.code, this.message, { ...this, cause: this.cause, ...options });
  }

  get httpStatus(): number {
    return ERROR_TRAITS[this.code].httpStatus;
  }
}

/** Stops on a state that the code around it rules out. Callers see INTERNAL. */
export function assert(condition: boolean, impossible: string): asserts condition {
  if (!condition) throw new Error(`Impossible: ${impossible}`);
}
