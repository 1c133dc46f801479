import { BrokerError } from '../../errors.ts';

/** Why something that the broker needs does not work. It holds no secret, no user name and no message of MySQL. */
export interface Fault {
  /** The code that callers get for it. */
  readonly code: string;
  /** A word that is stable across versions, such as `login_refused`; if there is none, the code in lower case. */
  readonly cause: string;
  /** The server's error number, if the server refused. */
  readonly errno?: number;
  /** The code of the network, of the driver or of the file system, as `ECONNREFUSED`. */
  readonly systemCode?: string;
  /** The session setting that the server refused. */
  readonly setting?: string;
  /** For people. */
  readonly message: string;
}

/** Describes an error for operators. An unexpected error's message stays secret. */
export function faultOf(error: unknown): Fault {
  if (!(error instanceof BrokerError)) {
    return { code: 'INTERNAL', cause: 'internal', message: 'The broker failed in a way it should not' };
  }
  const { code, message } = error;
  return { code, ...factsOf(error), cause: causeOf(error) ?? code.toLowerCase(), message };
}

/** The fields of a log line that describe a cause. */
export type CauseFacts = Partial<Pick<Fault, 'cause' | 'errno' | 'systemCode' | 'setting'>>;

/**
 * The cause of a failed call, for its log line.
 *
 * @param fault Why no connection could be opened, if that is so.
 */
export function causeFactsOf(error: BrokerError, fault: Fault | undefined): CauseFacts {
  const errno = error.mysql?.errno;
  // The checkout timed out because logins failed: their failure is the cause.
  const origin = error.code === 'POOL_TIMEOUT' && error.cause instanceof BrokerError ? error.cause : error;
  const cause = causeOf(origin) ?? error.reason;
  if (fault !== undefined && causeOf(origin) === undefined && errno === undefined) {
    return { cause: fault.cause, ...(fault.errno !== undefined && { errno: fault.errno }) };
  }
  return { ...factsOf(origin), ...(errno !== undefined && { errno }), ...(isWord(cause) && { cause }) };
}

function causeOf({ details }: BrokerError): string | undefined {
  return typeof details?.cause === 'string' ? details.cause : undefined;
}

function factsOf({ details = {} }: BrokerError): Pick<Fault, 'errno' | 'systemCode' | 'setting'> {
  const { errno, code, setting } = details;
  return {
    ...(typeof errno === 'number' && { errno }),
    ...(typeof code === 'string' && { systemCode: code }),
    ...(typeof setting === 'string' && { setting }),
  };
}

function isWord(cause: string | undefined): cause is string {
  return cause !== undefined && /^\w{1,64}$/.test(cause);
}
