import type {
  GetSecretValueCommandOutput,
  SecretsManager as SecretsManagerApi,
} from '@aws-sdk/client-secrets-manager';
import { BrokerError } from '../errors.ts';
import { loadSdk } from './load-sdk.ts';

/** For a whole call, with the SDK's retries and its search for AWS credentials. */
const CALL_TIMEOUT_MS = 5_000;

/** Characters that RDS allows in a master password and that need no escaping in URLs and shells. */
const PASSWORD_RULES = { PasswordLength: 32, ExcludeCharacters: '/@"\'\\', RequireEachIncludedType: true };

export type VersionLabel = 'AWSCURRENT' | 'AWSPENDING' | 'AWSPREVIOUS';

/** The versions of a secret, without their values. */
export interface SecretLabels {
  /** Undefined: rotation was never set up. */
  readonly rotationEnabled: boolean | undefined;
  readonly labelsByVersion: ReadonlyMap<string, readonly string[]>;
}

export interface NewVersion {
  readonly versionId: string;
  readonly text: string;
  readonly rotationToken: string | undefined;
}

type Send<T> = (api: SecretsManagerApi, options: { readonly abortSignal: AbortSignal }) => Promise<T>;

/**
 * Secrets Manager for rotations. The SDK is loaded by the first call; its own variables configure it.
 *
 * Every method throws a BrokerError: DATABASE_UNREACHABLE if the same call may succeed later, else
 * CREDENTIALS_REFUSED. It says which call failed and how, and holds nothing of a secret, nor the SDK's error, which
 * can hold a whole reply.
 */
export class RotationStore {
  #api: SecretsManagerApi | undefined;

  async describe(secretId: string): Promise<SecretLabels> {
    const { RotationEnabled, VersionIdsToStages = {} } = await this.#call(
      'DescribeSecret',
      async (api, options) => await api.describeSecret({ SecretId: secretId }, options),
    );
    return {
      rotationEnabled: RotationEnabled,
      labelsByVersion: new Map(Object.entries(VersionIdsToStages)),
    };
  }

  /** Undefined: no version has the label, or that version has no value yet. */
  async read(secretId: string, label: VersionLabel, versionId?: string): Promise<string | undefined> {
    return await this.#call('GetSecretValue', async (api, options) => {
      const version = versionId === undefined ? {} : { VersionId: versionId };
      try {
        return textOf(
          await api.getSecretValue({ SecretId: secretId, VersionStage: label, ...version }, options),
        );
      } catch (error) {
        if (nameOf(error) === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    });
  }

  /** Sets the value of the AWSPENDING version, unless it has another one by now. */
  async putPending(secretId: string, { versionId, text, rotationToken }: NewVersion): Promise<void> {
    const input = {
      SecretId: secretId,
      ClientRequestToken: versionId,
      SecretString: text,
      VersionStages: ['AWSPENDING'],
      ...(rotationToken !== undefined && { RotationToken: rotationToken }),
    };
    await this.#call('PutSecretValue', async (api, options) => {
      try {
        await api.putSecretValue(input, options);
      } catch (error) {
        if (nameOf(error) !== 'ResourceExistsException') throw error;
      }
    });
  }

  /** Makes a version the current one. */
  async promote(secretId: string, versionId: string, currentVersionId: string | undefined): Promise<void> {
    const input = {
      SecretId: secretId,
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: versionId,
      ...(currentVersionId !== undefined && { RemoveFromVersionId: currentVersionId }),
    };
    await this.#call('UpdateSecretVersionStage', async (api, options) => {
      await api.updateSecretVersionStage(input, options);
    });
  }

  async randomPassword(): Promise<string> {
    return await this.#call('GetRandomPassword', async (api, options) => {
      const { RandomPassword = '' } = await api.getRandomPassword(PASSWORD_RULES, options);
      if (RandomPassword.length < PASSWORD_RULES.PasswordLength) throw new Error('It is too short');
      return RandomPassword;
    });
  }

  async #call<T>(operation: string, send: Send<T>): Promise<T> {
    const abortSignal = AbortSignal.timeout(CALL_TIMEOUT_MS);
    try {
      return await Promise.race([this.#send(send, abortSignal), abortOf(abortSignal)]);
    } catch (error) {
      throw callFailure(operation, nameOf(error));
    }
  }

  async #send<T>(send: Send<T>, abortSignal: AbortSignal): Promise<T> {
    const { SecretsManager } = await loadSdk();
    this.#api ??= new SecretsManager();
    return await send(this.#api, { abortSignal });
  }
}

function textOf({ SecretString, SecretBinary }: GetSecretValueCommandOutput): string | undefined {
  return SecretString ?? (SecretBinary && new TextDecoder().decode(SecretBinary));
}

async function abortOf(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'Error';
}

/** Failures that an operator must fix. Others may pass by themselves. */
const LASTING_FAILURES = new Set([
  'AccessDeniedException',
  'CredentialsProviderError',
  'DecryptionFailure',
  'EncryptionFailure',
  'InvalidParameterException',
  'InvalidRequestException',
  'InvalidSignatureException',
  'ResourceNotFoundException',
  'UnrecognizedClientException',
  'ValidationException',
]);

function callFailure(operation: string, name: string): BrokerError {
  const code = LASTING_FAILURES.has(name) ? 'CREDENTIALS_REFUSED' : 'DATABASE_UNREACHABLE';
  const reason = `${operation}: ${name}`;
  return new BrokerError(code, `Secrets Manager did not do what the rotation asked (${reason})`, { reason });
}
