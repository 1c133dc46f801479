import { rootCertificates } from 'node:tls';
import type { SslOptions } from 'mysql2';
import { rdsRegion } from '../../aws/rds-region.ts';
import type { TlsSettings } from '../../settings/settings.ts';
import { AuthorityFile } from './ca-file.ts';
import { rdsAuthorities } from './rds-ca-bundle.ts';

/** mysql2 builds a secure context, which takes 20 ms, for each of these *objects*: share them. */
export interface TlsOptions {
  readonly options: SslOptions;
  /** The name in the server's certificate, if it is not the host's. */
  readonly serverName?: string | undefined;
}

/** How to encrypt a login to this host. Undefined: not at all. */
export type Encryption = (host: string) => Promise<TlsOptions | undefined>;

export function encryptionOf(settings: TlsSettings): Encryption {
  if (settings === 'off') return async () => undefined;
  if (settings === 'skip-verify') {
    const unverified = { options: { rejectUnauthorized: false, verifyIdentity: false } };
    return async () => unverified;
  }
  if (settings === 'verify') return async (host) => ({ options: publicTrust(rdsRegion(host)) });
  const authorities = new AuthorityFile(settings.ca, trustIn);
  return async () => ({ options: await authorities.current(), serverName: settings.serverName });
}

const publicTrusts = new Map<string | undefined, SslOptions>();

/**
 * Trust in the public CAs and in those of RDS. The region comes from the host name, which is in the certificate, not from
 * where the broker runs.
 */
function publicTrust(region: string | undefined): SslOptions {
  const known = publicTrusts.get(region) ?? trustIn([...rootCertificates, ...rdsAuthorities(region)]);
  publicTrusts.set(region, known);
  return known;
}

function trustIn(authorities: string[]): SslOptions {
  return { ca: authorities, rejectUnauthorized: true, verifyIdentity: true };
}
