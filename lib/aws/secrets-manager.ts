import type { GetSecretValueCommandOutput, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { BrokerError } from '../errors.ts';
import type { CredentialsCause } from './credentials-failure.ts';
import { loadSdk } from './load-sdk.ts';

/** For a whole read, with the SDK's retries and its search for AWS credentials. */
const READ_TIMEOUT_MS = 5_000;

/** A version of a secret: the current one, the previous one, or the pending one of a rotation. */
export type SecretLabel = 'AWSCURRENT' | 'AWSPREVIOUS' | 'AWSPENDING';

/** The text of a secret, and its version. */
export interface SecretText {
  readonly text: string;
  readonly versionId: string;
}

/** Reads secrets from AWS Secrets Manager. The SDK is loaded by the first read; its own variables configure it. */
export class SecretsManager {
  #client: SecretsManagerClient | undefined;

  /**
   * The version of a secret that has this label.
   *
   * @throws {BrokerError} DATABASE_UNREACHABLE if a later read may succeed, else CREDENTIALS_REFUSED. It names
   *   neither the secret nor anything of its text.
   */
  async read(secretId: string, label: SecretLabel = 'AWSCURRENT'): Promise<SecretText> {
    try {
      return await this.#get(secretId, label);
    } catch (error) {
      throw readFailure(error);
    }
  }

  /** The same; undefined if no version has this label, or if that version has no value yet. */
  async find(secretId: string, label: SecretLabel): Promise<SecretText | undefined> {
    try {
      return await this.#get(secretId, label);
    } catch (error) {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
      throw readFailure(error);
    }
  }

  close(): void {
    this.#client?.destroy();
    this.#client = undefined;
  }

  async #get(secretId: string, label: SecretLabel): Promise<SecretText> {
    const tooLate = AbortSignal.timeout(READ_TIMEOUT_MS);
    return textOf(await Promise.race([this.#send(secretId, label, tooLate), abortOf(tooLate)]));
  }

  async #send(
    secretId: string,
    label: SecretLabel,
    abortSignal: AbortSignal,
  ): Promise<GetSecretValueCommandOutput> {
    const { GetSecretValueCommand, SecretsManagerClient } = await loadSdk();
    this.#client ??= new SecretsManagerClient();
    const command = new GetSecretValueCommand({ SecretId: secretId, VersionStage: label });
    return await this.#client.send(command, { abortSignal });
  }
}

function textOf({ SecretString, SecretBinary, VersionId }: GetSecretValueCommandOutput): SecretText {
  const text = SecretString ?? (SecretBinary && new TextDecoder().decode(SecretBinary));
  if (text === undefined || VersionId === undefined)
    throw new Error('Secrets Manager answered without a value');
  return { text, versionId: VersionId };
}

async function abortOf(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Failures that an operator must fix. Others may pass by themselves. */
const LASTING_FAILURES: Readonly<Record<string, ReadFailure>> = {
  ResourceNotFoundException: [
    'secret_not_found',
    'there is no such secret in this region, or it has no current version',
  ],
  AccessDeniedException: [
    'secret_access_denied',
    'the broker may not read it: it needs secretsmanager:GetSecretValue, and kms:Decrypt for a key of your own',
  ],
  DecryptionFailure: ['secret_not_decryptable', 'its KMS key cannot decrypt it'],
  InvalidRequestException: [
    'secret_not_readable_now',
    'it cannot be read now: it may be scheduled for deletion',
  ],
  InvalidParameterException: ['secret_name_invalid', 'its name is not valid'],
  ValidationException: ['secret_name_invalid', 'its name is not valid'],
  CredentialsProviderError: ['aws_credentials_missing', 'the broker has no AWS credentials'],
  UnrecognizedClientException: ['aws_credentials_invalid', 'the AWS credentials of the broker are not valid'],
  InvalidSignatureException: ['aws_credentials_invalid', 'the AWS credentials of the broker are not valid'],
};

type ReadFailure = readonly [cause: CredentialsCause, reason: string];

const REGION_MISSING: ReadFailure = ['aws_region_missing', 'AWS_REGION is not set'];

function readFailure(error: unknown): BrokerError {
  const name = error instanceof Error ? error.name : 'Error';
  const lasting = LASTING_FAILURES[name] ?? (isRegionMissing(error) ? REGION_MISSING : undefined);
  const passing: ReadFailure = ['secrets_manager_unavailable', `Secrets Manager did not answer (${name})`];
  const [cause, reason] = lasting ?? passing;
  return new BrokerError(
    lasting === undefined ? 'DATABASE_UNREACHABLE' : 'CREDENTIALS_REFUSED',
    `The secret cannot be read: ${reason}`,
    // A reply that is not JSON is quoted by its SyntaxError, and may hold the secret.
    { cause: error instanceof SyntaxError ? undefined : error, reason, details: { cause } },
  );
}

function isRegionMissing(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Region is missing');
}
