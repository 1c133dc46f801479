import { BrokerError } from '../../errors.ts';
import { isSendableKey, SENDABLE_KEY } from '../../protocol/caller-key.ts';

/** The caller's key. */
export interface CallerKey {
  /** Undefined: calls are sent without a key. */
  read(): Promise<string | undefined>;
  /** After a refusal: the key to try instead, if there is another. */
  replace(refused: string | undefined): Promise<string | undefined>;
}

export function fixedKey(key: string | undefined): CallerKey {
  if (key !== undefined && !isSendableKey(key)) {
    throw new BrokerError('INVALID_REQUEST', `The caller key ${SENDABLE_KEY}`);
  }
  return { read: async () => key, replace: async () => undefined };
}

/** A key in Secrets Manager: read once for all calls, and again when the broker refuses it. */
export class SecretKey implements CallerKey {
  readonly #secretId: string;
  #reading: Promise<string> | undefined;

  constructor(secretId: string) {
    this.#secretId = secretId;
  }

  async read(): Promise<string> {
    this.#reading ??= this.#startReading();
    return await this.#reading;
  }

  async replace(refused: string | undefined): Promise<string | undefined> {
    const known = this.#reading;
    // The first of several refused calls reads again; the others share its result.
    if ((await known) === refused && known === this.#reading) this.#reading = undefined;
    const key = await this.read();
    return key === refused ? undefined : key;
  }

  #startReading(): Promise<string> {
    const reading = readSecret(this.#secretId);
    reading.catch(() => {
      this.#reading = undefined;
    });
    return reading;
  }
}

// Not a literal import, so that bundlers leave the SDK out: Lambda's runtime has it.
const SDK = ['@aws-sdk', 'client-secrets-manager'].join('/');

async function readSecret(secretId: string): Promise<string> {
  const key = await fetchSecret(secretId);
  if (isSendableKey(key)) return key;
  throw keyProblem(`${SENDABLE_KEY}: the secret holds the bare key, not JSON`);
}

async function fetchSecret(secretId: string): Promise<string> {
  try {
    const sdk: typeof import('@aws-sdk/client-secrets-manager') = await import(SDK);
    const { SecretString = '' } = await new sdk.SecretsManager().getSecretValue({ SecretId: secretId });
    return SecretString.trim();
  } catch (cause) {
    throw keyProblem('could not be read from Secrets Manager', cause);
  }
}

function keyProblem(problem: string, cause?: unknown): BrokerError {
  return new BrokerError('UNAUTHENTICATED', `The caller key ${problem}`, { cause });
}
