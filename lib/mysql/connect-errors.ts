import { BrokerError, type ErrorDetails } from '../errors.ts';
import type { ConnectVerdict } from '../pool/connection.ts';
import { type ConnectCause, causeOfDriverCode, causeOfErrno, traitsOf, verdictOf } from './connect-cause.ts';
import { type DriverError, isServerError, type ServerError } from './errors.ts';

/** mysql2 names a missing plugin only in its message. */
const UNKNOWN_PLUGIN = /unknown plugin ([\w-]+)/;
/** mysql2 has this one, but it sends the password in clear, so only tokens of IAM use it. */
const CLEAR_PASSWORD_PLUGIN = 'mysql_clear_password';

/**
 * The driver's error about a login, as waiting callers get it. It holds no host, user or password. `details` has `cause`
 * for programs, and the server's `errno` or the `code` of the network or the driver.
 *
 * @param tlsFailure Why TLS failed, if it did.
 */
export function connectFailure(error: DriverError, tlsFailure?: ConnectCause): BrokerError {
  if (isServerError(error)) {
    const { errno } = error;
    return loginFailure(causeOfErrno(errno), `error ${errno}`, { errno }, error);
  }
  const plugin = missingPlugin(error);
  if (plugin !== undefined) return loginFailure('auth_plugin_unsupported', plugin, { plugin }, error);
  if (tlsFailure !== undefined) return loginFailure(tlsFailure, undefined, {}, error);
  const { code } = error;
  return loginFailure(
    causeOfDriverCode(code),
    code ?? 'no answer',
    code === undefined ? {} : { code },
    error,
  );
}

/** The server refuses a setting of the session. `setting` is its path below the alias. */
export function settingRefused(setting: string, error: ServerError): BrokerError {
  const { errno } = error;
  return loginFailure('session_setting_refused', `${setting}, error ${errno}`, { setting, errno }, error);
}

/** Throws the failure for waiting callers if the credentials could not be read in time. */
export function credentialsOverdue(error: unknown): never {
  if (error instanceof BrokerError) throw error;
  throw loginFailure('credentials_overdue', undefined, {}, error);
}

/** The login was not answered in time. */
export function loginOverdue(): BrokerError {
  return loginFailure('connect_timeout', undefined, {}, undefined);
}

/** The file of CA certificates could never be read. */
export function authoritiesUnusable(): BrokerError {
  return loginFailure('ca_file_unusable', undefined, {}, undefined);
}

/** What a failed connect means for the pool. */
export function connectVerdict(error: unknown): ConnectVerdict {
  return error instanceof BrokerError ? verdictOf(error.details?.cause) : 'refused';
}

/** Whether a refused login may mean that the password was rotated. */
export function isRefusedLogin(error: unknown): boolean {
  return error instanceof BrokerError && error.code === 'CREDENTIALS_REFUSED';
}

function loginFailure(
  name: ConnectCause,
  seen: string | undefined,
  details: ErrorDetails,
  cause: unknown,
): BrokerError {
  const { code, text, isTransient } = traitsOf(name);
  const message = `The database ${text}${seen === undefined ? '' : ` (${seen})`}`;
  return new BrokerError(code, message, { cause, isTransient, details: { cause: name, ...details } });
}

function missingPlugin({ code, message }: DriverError): string | undefined {
  if (code === 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED') return CLEAR_PASSWORD_PLUGIN;
  return code === 'AUTH_SWITCH_PLUGIN_ERROR' ? UNKNOWN_PLUGIN.exec(message)?.[1] : undefined;
}
