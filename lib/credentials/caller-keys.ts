import type { MaybePromise } from '../async/maybe-promise.ts';
import { SecretsManager, type SecretText } from '../aws/secrets-manager.ts';
import { BrokerError } from '../errors.ts';
import type { CallerSettings, Settings } from '../settings/settings.ts';
import { hashOfKey } from './key-hash.ts';
import { type SourceStatus, VersionedSource } from './versioned-source.ts';

export interface Caller extends CallerSettings {
  readonly name: string;
}

/** Hashes of the keys in a secret: the current one, and the previous one while it has its label. */
type KeyHashes = readonly string[];

/** Finds callers by their keys. Keys that are kept in secrets may change. */
export class CallerKeys {
  readonly #byHash = new Map<string, Caller>();
  readonly #sources = new Map<string, VersionedSource<KeyHashes>>();
  readonly #minRefreshIntervalMs: number;
  #refreshing: Promise<unknown> | undefined;
  #refreshableAtMs = 0;

  constructor(
    { callers, secrets }: Pick<Settings, 'callers' | 'secrets'>,
    secretsManager: SecretsManager = new SecretsManager(),
  ) {
    this.#minRefreshIntervalMs = secrets.minRefreshIntervalMs;
    for (const [name, settings] of Object.entries(callers)) {
      const caller = { ...settings, name };
      if (settings.keySha256 !== undefined) this.#byHash.set(settings.keySha256, caller);
      if (settings.keySecret === undefined) continue;
      const source = keyHashesSource(settings.keySecret, secrets, secretsManager);
      source.onVersion(({ value }, previous) => this.#replace(caller, value, previous?.value ?? []));
      this.#sources.set(name, source);
    }
  }

  /** Reads the keys in secrets, and refreshes them regularly. A key that cannot be read admits nobody. */
  async start(): Promise<void> {
    for (const source of this.#sources.values()) source.start();
    await Promise.allSettled([...this.#sources.values()].map((source) => source.current()));
  }

  close(): void {
    for (const source of this.#sources.values()) source.close();
  }

  /**
   * An unknown key may have been put into its secret just now: the secrets are fetched again, at most once each
   * `minRefreshIntervalMs`. Known keys are found synchronously.
   *
   * @param sha256Hex lower case.
   */
  find(sha256Hex: string): MaybePromise<Caller | undefined> {
    const known = this.callerByKeyHash(sha256Hex);
    if (known !== undefined || this.#sources.size === 0) return known;
    if (this.#refreshing === undefined && performance.now() < this.#refreshableAtMs) return undefined;
    this.#refreshing ??= this.#refreshAll();
    return this.#refreshing.then(() => this.callerByKeyHash(sha256Hex));
  }

  /** @param sha256Hex lower case. */
  callerByKeyHash(sha256Hex: string): Caller | undefined {
    return this.#byHash.get(sha256Hex);
  }

  /** The state of each secret, by the caller's name. */
  status(): ReadonlyMap<string, SourceStatus> {
    return new Map([...this.#sources].map(([name, source]) => [name, source.status()]));
  }

  async #refreshAll(): Promise<void> {
    await Promise.allSettled([...this.#sources.values()].map((source) => source.refresh()));
    this.#refreshableAtMs = performance.now() + this.#minRefreshIntervalMs;
    this.#refreshing = undefined;
  }

  #replace(caller: Caller, hashes: KeyHashes, previous: KeyHashes): void {
    for (const hash of previous) {
      if (this.#byHash.get(hash)?.name === caller.name && hash !== caller.keySha256)
        this.#byHash.delete(hash);
    }
    // If two callers have the same key, it belongs to the one that had it first.
    for (const hash of hashes) if (!this.#byHash.has(hash)) this.#byHash.set(hash, caller);
  }
}

/** It keeps only hashes: the keys themselves are not needed. */
function keyHashesSource(
  secretId: string,
  secrets: Settings['secrets'],
  secretsManager: SecretsManager,
): VersionedSource<KeyHashes> {
  return new VersionedSource<KeyHashes>(async () => {
    const [current, previous] = await Promise.all([
      secretsManager.read(secretId),
      secretsManager.find(secretId, 'AWSPREVIOUS'),
    ]);
    const hash = hashOf(current);
    if (hash === undefined) throw new BrokerError('UNAUTHENTICATED', 'The secret of the caller key is empty');
    const formerHash = previous && hashOf(previous);
    // The previous version may lose its label while the current one stays.
    const versionId = [current.versionId, previous?.versionId].join(' ').trim();
    return { versionId, value: formerHash === undefined ? [hash] : [hash, formerHash] };
  }, secrets);
}

function hashOf({ text }: SecretText): string | undefined {
  // Editors and `--secret-string file://key` end the text with a newline.
  const key = text.trim();
  return key === '' ? undefined : hashOfKey(key);
}
