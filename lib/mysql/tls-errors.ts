import { TLSSocket } from 'node:tls';
import type { ConnectCause } from './connect-cause.ts';
import type { TlsOptions } from './driver/tls.ts';

/** Node's errors for certificates, except for unknown ones. */
const BY_CERTIFICATE_ERROR: Readonly<Record<string, ConnectCause>> = {
  CERT_HAS_EXPIRED: 'certificate_expired',
  CERT_NOT_YET_VALID: 'certificate_not_yet_valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate_host_mismatch',
};

/** mysql2's code for every failure before TLS is established, also for a lost connection. */
const HANDSHAKE_FAILED = 'HANDSHAKE_SSL_ERROR';

/**
 * Why TLS failed; undefined if it did not. A server's own error is never one of TLS. Node notes problems of a certificate
 * even if it does not verify them, so they count only if certificates are verified.
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
  // A code, although its declared type is Error.
  const certificateError: unknown = socket instanceof TLSSocket ? socket.authorizationError : undefined;
  if (typeof certificateError !== 'string') return undefined;
  return BY_CERTIFICATE_ERROR[certificateError] ?? 'certificate_untrusted';
}
