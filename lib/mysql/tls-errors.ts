import { TLSSocket } from 'node:tls';
import type { ConnectCause } from './connect-cause.ts';
import type { TlsOptions } from './driver/tls.ts';

/** What Node found wrong with a certificate, where it is not just unknown. */
const BY_CERTIFICATE_ERROR: Readonly<Record<string, ConnectCause>> = {
  CERT_HAS_EXPIRED: 'certificate_expired',
  CERT_NOT_YET_VALID: 'certificate_not_yet_valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate_host_mismatch',
};

/** mysql2 gives every failure before the channel is secure this code; also that of a connection that broke. */
const HANDSHAKE_FAILED = 'HANDSHAKE_SSL_ERROR';

/**
 * Why a server is not trusted with a login, or cannot be told one in private; undefined if TLS is not what failed. What
 * the server itself said is never of TLS. Node notes what is wrong with a certificate also where nobody asked: it counts
 * only where certificates are verified.
 */
export function tlsFailureOf(
  error: Error,
  socket: unknown,
  tls: TlsOptions | undefined,
): ConnectCause | undefined {
  // Only OpenSSL's own errors have this.
  if ('library' in error) return 'tls_failed';
  const isOfHandshake = 'code' in error && error.code === HANDSHAKE_FAILED;
  if (!isOfHandshake || tls?.options.rejectUnauthorized !== true) return undefined;
  // A code, whatever its declared type says.
  const certificateError: unknown = socket instanceof TLSSocket ? socket.authorizationError : undefined;
  if (typeof certificateError !== 'string') return undefined;
  return BY_CERTIFICATE_ERROR[certificateError] ?? 'certificate_untrusted';
}
