import { BrokerError } from '../../errors.ts';

/** Why something that the broker needs does not work. It holds no secret, no user name and no text of MySQL's. */
export interface Fault {
  /** The code that callers get for it. */
  readonly code: string;
  /** A word that is stable across versions, such as `access_denied`; where there is none, the code in lower case. */
  readonly cause: string;
  /** Of the server, if it was the server that refused. */
  readonly errno?: number;
  /** The code of the network, of the driver or of the file system, as `ECONNREFUSED`. */
  readonly systemCode?: string;
  /** The session setting that the server refused. */
  readonly setting?: string;
  /** For people. */
  readonly message: string;
}

/** What an operator is told of an error. Of errors that were not thrown on purpose only that there was one. */
export function faultOf(error: unknown): Fault {
  if (!(error instanceof BrokerError)) {
    return { code: 'INTERNAL', cause: 'internal', message: 'The broker failed in a way it should not' };
  }
  const { code, message } = error;
  return { code, ...factsOf(error), cause: causeOf(error) ?? code.toLowerCase(), message };
}

/** What a line in the log says of a cause. */
export type CauseFacts = Partial<Pick<Fault, 'cause' | 'errno' | 'systemCode' | 'setting'>>;

/**
 * What is known of the cause of a failed call, for its line in the log.
 *
 * @param fault Why no connection could be had, if that is so.
 */
export function causeFactsOf(error: BrokerError, fault: Fault | undefined): CauseFacts {
  const errno = error.mysql?.errno;
  // Whoever waited in vain waited for a login: what that failed with is the cause.
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
