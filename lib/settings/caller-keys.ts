import { createHash } from 'node:crypto';
import { BrokerError } from '../errors.ts';
import { SecretsManager } from './secrets-manager.ts';
import type { CallerSettings, Settings } from './settings.ts';
import { type SourceStatus, VersionedSource } from './versioned-source.ts';

export interface Caller extends CallerSettings {
  readonly name: string;
}

/** Whose key is it? Keys that are kept in secrets are followed when they change. */
export class CallerKeys {
  readonly #byHash = new Map<string, Caller>();
  readonly #sources = new Map<string, VersionedSource<string>>();

  constructor(
    { callers, secrets }: Pick<Settings, 'callers' | 'secrets'>,
    secretsManager: SecretsManager = new SecretsManager(),
  ) {
    for (const [name, settings] of Object.entries(callers)) {
      const caller = { ...settings, name };
      if (settings.keySha256 !== undefined) this.#byHash.set(settings.keySha256, caller);
      if (settings.keySecret === undefined) continue;
      const source = keyHashSource(settings.keySecret, secrets, secretsManager);
      source.onVersion((hash, previous) => this.#replace(caller, hash.value, previous?.value));
      this.#sources.set(name, source);
    }
  }

  /** Reads the keys that are kept in secrets, and again from time to time. A key that cannot be read admits nobody. */
  async start(): Promise<void> {
    for (const source of this.#sources.values()) source.start();
    await Promise.allSettled([...this.#sources.values()].map((source) => source.current()));
  }

  close(): void {
    for (const source of this.#sources.values()) source.close();
  }

  /** @param sha256Hex lower case. */
  callerByKeyHash(sha256Hex: string): Caller | undefined {
    return this.#byHash.get(sha256Hex);
  }

  /** The caller's name -> how its secret is doing. */
  status(): ReadonlyMap<string, SourceStatus> {
    return new Map([...this.#sources].map(([name, source]) => [name, source.status()]));
  }

  #replace(caller: Caller, hash: string, previous: string | undefined): void {
    if (previous !== undefined && this.#byHash.get(previous)?.name === caller.name)
      this.#byHash.delete(previous);
    // A key that two callers share is the one's that had it first.
    if (!this.#byHash.has(hash)) this.#byHash.set(hash, caller);
  }
}

/** Keeps the hash only: nothing needs the key itself. */
function keyHashSource(
  secretId: string,
  secrets: Settings['secrets'],
  secretsManager: SecretsManager,
): VersionedSource<string> {
  return new VersionedSource(async () => {
    const { text, versionId } = await secretsManager.read(secretId);
    // Editors and `--secret-string file://key` end the text with a newline.
    const key = text.trim();
    if (key === '') throw new BrokerError('UNAUTHENTICATED', 'The secret of the caller key is empty');
    return { versionId, value: createHash('sha256').update(key).digest('hex') };
  }, secrets);
}
