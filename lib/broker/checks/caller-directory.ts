import type { MaybePromise } from '../../async/maybe-promise.ts';
import type { Caller } from '../../credentials/caller-keys.ts';
import type { SourceStatus } from '../../credentials/versioned-source.ts';

/** Who may call. */
export interface CallerDirectory {
  /** Finds the caller that a key belongs to, by the key's SHA-256 in hex. Known keys are found synchronously. */
  find(keySha256: string): MaybePromise<Caller | undefined>;
  /** The state of keys that are kept in secrets, by the caller's name. */
  status(): ReadonlyMap<string, SourceStatus>;
}
