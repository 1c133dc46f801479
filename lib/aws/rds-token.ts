import type { SecretsManagerClientResolvedConfig } from '@aws-sdk/client-secrets-manager';
import { BrokerError } from '../errors.ts';
import { type CredentialsCause, credentialsFailure } from './credentials-failure.ts';
import { loadSdk } from './load-sdk.ts';
import { rdsRegion } from './rds-region.ts';

/** How long RDS accepts a token for logins. Sessions outlive it. */
const TOKEN_LIFE_S = 900;
/** How long a token is used: shorter, for clock skew and slow logins. */
const TOKEN_USE_MS = 600_000;

export interface RdsToken {
  readonly text: string;
  /** Not to be used for a login after this. */
  readonly usableUntilMs: number;
}

/** The login that a token is for. */
export interface TokenUse {
  readonly host: string;
  readonly port: number;
  readonly username: string;
}

/** Makes the passwords of RDS IAM authentication: requests that are signed and never sent. */
export class RdsTokenSigner {
  /** The SDK's own region and credentials; no call is made with this client. Loaded by the first token. */
  #sdk: SecretsManagerClientResolvedConfig | undefined;

  /**
   * @throws {BrokerError} CREDENTIALS_REFUSED if an operator must fix something, DATABASE_UNREACHABLE if a retry may
   *   succeed.
   */
  async sign(use: TokenUse): Promise<RdsToken> {
    try {
      return await this.#sign(use);
    } catch (error) {
      throw signFailure(error);
    }
  }

  async #sign({ host, port, username }: TokenUse): Promise<RdsToken> {
    const [{ SecretsManagerClient }, { SignatureV4 }] = await Promise.all([
      loadSdk(),
      import('@smithy/signature-v4'),
    ]);
    this.#sdk ??= new SecretsManagerClient().config;
    const { sha256 } = this.#sdk;
    const credentials = await this.#sdk.credentials();
    const region = rdsRegion(host) ?? (await this.#sdk.region());
    const signer = new SignatureV4({ service: 'rds-db', region, credentials, sha256 });
    const { query = {} } = await signer.presign(
      {
        method: 'GET',
        protocol: 'https:',
        hostname: host,
        port,
        path: '/',
        query: { Action: 'connect', DBUser: username },
        headers: { host: `${host}:${port}` },
      },
      { expiresIn: TOKEN_LIFE_S },
    );
    const parameters = Object.entries(query).map(([name, value]) => `${name}=${escapeUri(String(value))}`);
    const lifeEndsMs = credentials.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
    return {
      text: `${host}:${port}/?${parameters.join('&')}`,
      usableUntilMs: Math.min(Date.now() + TOKEN_USE_MS, lifeEndsMs),
    };
  }
}

/** Escapes as the signature does. */
function escapeUri(text: string): string {
  const hexOf = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text).replace(/[!'()*]/g, hexOf);
}

function signFailure(error: unknown): BrokerError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === 'CredentialsProviderError')
    return credentialsFailure('aws_credentials_missing', 'the broker has no AWS credentials', error);
  if (message.startsWith('Region ')) {
    const reason = 'neither AWS_REGION nor the host name tells the region';
    return credentialsFailure('aws_region_missing', reason, error);
  }
  const reason = `the AWS credentials of the broker could not be had (${name})`;
  return new BrokerError('DATABASE_UNREACHABLE', `No token could be made: ${reason}`, {
    cause: error,
    reason,
    details: { cause: 'aws_credentials_unavailable' satisfies CredentialsCause },
  });
}
