import { TLSSocket } from 'node:tls';

/** Why a server that answered is not trusted with a login, or cannot be told one in private. */
export type TlsFailure =
  | 'tls_not_supported'
  | 'tls_failed'
  | 'certificate_expired'
  | 'certificate_not_yet_valid'
  | 'certificate_host_mismatch'
  | 'certificate_untrusted';

export const TLS_FAILURE_TEXT: Readonly<Record<TlsFailure, string>> = {
  tls_not_supported: 'it does not support TLS, which the settings ask for',
  tls_failed: 'no TLS version or cipher suits both sides',
  certificate_expired: 'its certificate has expired',
  certificate_not_yet_valid: 'its certificate is not valid yet',
  certificate_host_mismatch: 'its certificate is for another host name',
  certificate_untrusted: 'its certificate is not from a CA that the settings trust',
};

/** What Node found wrong with a certificate, where it is not just unknown. */
const BY_CERTIFICATE_ERROR: Readonly<Record<string, TlsFailure>> = {
  CERT_HAS_EXPIRED: 'certificate_expired',
  CERT_NOT_YET_VALID: 'certificate_not_yet_valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate_host_mismatch',
};

/** mysql2 gives every failure of a handshake one code; a connection that broke during it is none of TLS. */
export function tlsFailureOf(error: Error, socket: unknown): TlsFailure | undefined {
  if ('code' in error && error.code === 'HANDSHAKE_NO_SSL_SUPPORT') return 'tls_not_supported';
  // A code, whatever its declared type says.
  const certificateError: unknown = socket instanceof TLSSocket ? socket.authorizationError : undefined;
  if (typeof certificateError === 'string') {
    return BY_CERTIFICATE_ERROR[certificateError] ?? 'certificate_untrusted';
  }
  // Only OpenSSL's own errors have this.
  return 'library' in error ? 'tls_failed' : undefined;
}
