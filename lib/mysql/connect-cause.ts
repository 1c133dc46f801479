import type { ErrorCode } from '../errors.ts';
import type { ConnectVerdict } from '../pool/connection.ts';

interface CauseTraits {
  /** Completes "The database ...". */
  readonly text: string;
  /** What it means for the pool. */
  readonly verdict: ConnectVerdict;
  /** It may pass by itself. Otherwise the settings, the account or the server must be changed. */
  readonly isTransient: boolean;
}

const outage = (text: string): CauseTraits => ({ text, verdict: 'outage', isTransient: true });
const full = (text: string): CauseTraits => ({ text, verdict: 'full', isTransient: true });
const passing = (text: string): CauseTraits => ({ text, verdict: 'refused', isTransient: true });
/** New credentials may be accepted soon; meanwhile `LoginThrottle` keeps logins few. */
const refusedLogin = (text: string): CauseTraits => ({ text, verdict: 'credentials', isTransient: false });
const lasting = (text: string): CauseTraits => ({ text, verdict: 'refused', isTransient: false });

const UNREACHABLE = {
  host_not_found: outage('cannot be reached: its host name is not known'),
  name_lookup_failed: outage('cannot be reached: the name service does not answer'),
  connection_refused: outage('cannot be reached: nothing listens on its port'),
  host_unreachable: outage('cannot be reached: there is no route to its host'),
  connect_timeout: outage('cannot be reached: it did not answer in time'),
  connection_lost: outage('closed the connection during the login'),
  not_mysql: outage('cannot be reached: what answers on its port does not speak the MySQL protocol'),
  network_failed: outage('cannot be reached'),
  shutting_down: passing('is shutting down or starting'),
  server_full: full('has no room for another connection'),
  account_full: full('allows the account no more connections'),
  host_blocked: lasting('blocks this host after too many failed connections'),
  host_not_allowed: lasting('allows no connections from this host'),
  database_unknown: lasting('refused the connection: the server has no such schema'),
  database_denied: lasting('refused the connection: the schema does not exist or the account may not use it'),
  tls_required: lasting('refused the connection: the server requires TLS, which the settings turn off'),
  tls_not_supported: lasting('is not trusted: it does not support TLS, which the settings ask for'),
  tls_failed: lasting('is not trusted: no TLS version or cipher suits both sides'),
  certificate_expired: lasting('is not trusted: its certificate has expired'),
  certificate_not_yet_valid: lasting('is not trusted: its certificate is not valid yet'),
  certificate_host_mismatch: lasting('is not trusted: its certificate is for another host name'),
  certificate_untrusted: lasting('is not trusted: its certificate is not from a CA that the settings trust'),
  ca_file_unusable: lasting('cannot be verified: the file of CA certificates cannot be used'),
  session_setting_refused: lasting('refused a setting of the session'),
  credentials_overdue: {
    text: 'has no login yet: the credentials could not be read in time',
    verdict: 'credentials',
    isTransient: true,
  },
  connection_denied: passing('refused the connection'),
} as const satisfies Record<string, CauseTraits>;

const LOGIN_REFUSED = {
  login_refused: refusedLogin('refused the login'),
  account_locked: refusedLogin('refused the login: the account is locked'),
  account_blocked: refusedLogin('refused the login: the account is blocked after too many failed logins'),
  password_expired: refusedLogin('refused the login: the password has expired'),
  auth_plugin_not_loaded: refusedLogin(
    'refused the login: the server has not loaded the plugin of the account',
  ),
  auth_plugin_unsupported: refusedLogin(
    'asks for an authentication plugin that the broker does not support with these settings',
  ),
  auth_failed: refusedLogin('could not be given the password in the way that it asks for'),
} as const satisfies Record<string, CauseTraits>;

const TRAITS: Readonly<Record<string, CauseTraits>> = { ...UNREACHABLE, ...LOGIN_REFUSED };

/** Why no connection could be opened. The names are stable: programs may rely on them. */
export type ConnectCause = keyof typeof UNREACHABLE | keyof typeof LOGIN_REFUSED;

/** Error numbers of both servers. Above 1899 a number belongs to one of them only. */
const BY_ERRNO: ReadonlyMap<number, ConnectCause> = new Map<number, ConnectCause>([
  [1040, 'server_full'],
  [1203, 'account_full'],
  [1226, 'account_full'],
  [1044, 'database_denied'],
  [1045, 'login_refused'],
  [1698, 'login_refused'],
  [1049, 'database_unknown'],
  [1053, 'shutting_down'],
  [1077, 'shutting_down'],
  [1079, 'shutting_down'],
  [3032, 'shutting_down'],
  [1129, 'host_blocked'],
  [1130, 'host_not_allowed'],
  [3159, 'tls_required'],
  [1251, 'auth_plugin_unsupported'],
  [1275, 'auth_plugin_unsupported'],
  [1524, 'auth_plugin_not_loaded'],
  [1820, 'password_expired'],
  [1862, 'password_expired'],
  [3118, 'account_locked'],
  [4151, 'account_locked'],
  [3955, 'account_blocked'],
  [4150, 'account_blocked'],
]);

/** Of Node and of mysql2. */
const BY_CODE: ReadonlyMap<string, ConnectCause> = new Map<string, ConnectCause>([
  ['ENOTFOUND', 'host_not_found'],
  ['EAI_AGAIN', 'name_lookup_failed'],
  ['ECONNREFUSED', 'connection_refused'],
  ['EHOSTUNREACH', 'host_unreachable'],
  ['ENETUNREACH', 'host_unreachable'],
  ['EHOSTDOWN', 'host_unreachable'],
  ['ETIMEDOUT', 'connect_timeout'],
  ['ECONNRESET', 'connection_lost'],
  ['EPIPE', 'connection_lost'],
  ['PROTOCOL_CONNECTION_LOST', 'connection_lost'],
  // Failures of TLS itself have been sorted out before.
  ['HANDSHAKE_SSL_ERROR', 'connection_lost'],
  ['HANDSHAKE_NO_SSL_SUPPORT', 'tls_not_supported'],
  ['HANDSHAKE_UNKNOWN_ERROR', 'not_mysql'],
  ['AUTH_SWITCH_PLUGIN_ERROR', 'auth_failed'],
  ['MYSQL_CLEAR_PASSWORD_NOT_ENABLED', 'auth_plugin_unsupported'],
]);

export function causeOfErrno(errno: number): ConnectCause {
  return BY_ERRNO.get(errno) ?? 'connection_denied';
}

/** @param code Undefined: there was no answer. */
export function causeOfDriverCode(code: string | undefined): ConnectCause {
  if (code === undefined) return 'connect_timeout';
  return BY_CODE.get(code) ?? 'network_failed';
}

export function traitsOf(cause: ConnectCause): CauseTraits & { readonly code: ErrorCode } {
  const code = Object.hasOwn(LOGIN_REFUSED, cause) ? 'CREDENTIALS_REFUSED' : 'DATABASE_UNREACHABLE';
  return { ...(TRAITS[cause] ?? UNREACHABLE.network_failed), code };
}

/** What a failure with this cause means for the pool. Other causes come from the credentials, not from the server. */
export function verdictOf(cause: unknown): ConnectVerdict {
  if (typeof cause !== 'string' || !Object.hasOwn(TRAITS, cause)) return 'credentials';
  return TRAITS[cause]?.verdict ?? 'credentials';
}
