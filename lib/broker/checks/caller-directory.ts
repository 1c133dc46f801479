import type { Caller } from '../../credentials/caller-keys.ts';
import type { SourceStatus } from '../../credentials/versioned-source.ts';

type Found = Caller | undefined;

/** Who may call. */
export interface CallerDirectory {
  /** Finds the caller that a key belongs to, by the key's SHA-256 in hex. */
  find(keySha256: string): Found | Promise<Found>;
  /** How the secrets of the keys are doing that are kept in some, by the caller's name. */
  status(): ReadonlyMap<string, SourceStatus>;
}
