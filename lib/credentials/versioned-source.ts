import { backOffMs } from '../async/back-off.ts';

/** A value and the id of this version of it. The id reveals nothing of the value. */
export interface Version<T> {
  readonly versionId: string;
  readonly value: T;
}

export interface VersionedSourceOptions {
  /** How often it is refreshed after `start`; jittered. */
  readonly refreshIntervalMs: number;
  /** Least time between two fetches because of a refused version, and between two until one has succeeded. */
  readonly minRefreshIntervalMs: number;
}

export interface SourceStatus {
  readonly versionId: string | undefined;
  /** When the last fetch ended, in milliseconds since 1970. */
  readonly fetchedAtMs: number | undefined;
  /** Why the last fetch failed. Undefined: it succeeded. */
  readonly lastFailure: string | undefined;
  /** The error of the last fetch. */
  readonly failure: unknown;
}

/** Upper bound of the back-off between failing refreshes, as a multiple of minRefreshIntervalMs. */
const MAX_BACKOFF_FACTOR = 16;

type VersionListener<T> = (version: Version<T>, previous: Version<T> | undefined) => void;

/**
 * A cached copy of a value that changes elsewhere. One fetch runs at a time; while fetches fail, the last good version is
 * used.
 */
export class VersionedSource<T> {
  readonly #fetch: () => Promise<Version<T>>;
  readonly #options: VersionedSourceOptions;
  readonly #listeners: VersionListener<T>[] = [];
  #version: Version<T> | undefined;
  #fetching: Promise<Version<T>> | undefined;
  #fetchedAtMs: number | undefined;
  #failure: Error | undefined;
  #failures = 0;
  /** The version that an adopted one replaced. Ignored in fetches until another one is found. */
  #supersededId: string | undefined;
  /** No fetch for a refused version before this moment of the monotonic clock. */
  #backOffEndsMs = 0;
  #starts = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(fetch: () => Promise<Version<T>>, options: VersionedSourceOptions) {
    this.#fetch = fetch;
    this.#options = options;
  }

  /** The cached version; the first call fetches it. Rejects until a fetch has succeeded. */
  async current(): Promise<Version<T>> {
    if (this.#version !== undefined) return this.#version;
    if (this.#fetching === undefined && this.#failure !== undefined && this.#isBackingOff())
      throw this.#failure;
    return await this.#fetchOnce();
  }

  /**
   * Fetches again. For a refused version only if it is still the cached one, and only if there was no such fetch within
   * `minRefreshIntervalMs`; else it resolves with the cached version.
   */
  async refresh(refusedVersionId?: string): Promise<Version<T>> {
    const known = this.#version;
    if (known === undefined) return await this.current();
    if (refusedVersionId === undefined) {
      // A fetch that runs already may have begun before the change that the caller knows of.
      await this.#fetching;
      return await this.#fetchOnce();
    }
    if (known.versionId !== refusedVersionId) return known;
    this.#supersededId = undefined;
    if (this.#fetching === undefined) {
      if (this.#isBackingOff()) return known;
      this.#backOff();
    }
    return await this.#fetchOnce();
  }

  /**
   * Replaces a version by one that fetches will find soon. Until they do, the replaced version is ignored, unless the
   * adopted one is refused.
   */
  adopt(version: Version<T>, inPlaceOfId: string): void {
    if (this.#version?.versionId !== inPlaceOfId) return;
    this.#store(version);
    this.#supersededId = inPlaceOfId;
  }

  /** The listener is called for every new version. It must not throw. */
  onVersion(listener: VersionListener<T>): void {
    this.#listeners.push(listener);
  }

  status(): SourceStatus {
    return {
      versionId: this.#version?.versionId,
      fetchedAtMs: this.#fetchedAtMs,
      lastFailure: this.#failure?.message,
      failure: this.#failure,
    };
  }

  /** Refreshes regularly, until `close` was called as often as `start`. */
  start(): void {
    this.#starts += 1;
    this.#schedule();
  }

  close(): void {
    this.#starts -= 1;
    if (this.#starts === 0) clearTimeout(this.#timer);
  }

  async #fetchOnce(): Promise<Version<T>> {
    this.#fetching ??= this.#fetchAndStore();
    return await this.#fetching;
  }

  async #fetchAndStore(): Promise<Version<T>> {
    try {
      const fetched = await this.#fetch();
      this.#failure = undefined;
      this.#failures = 0;
      return this.#store(fetched);
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error('The fetch failed', { cause: error });
      this.#failures += 1;
      this.#backOff();
      if (this.#version === undefined) throw this.#failure;
      return this.#version;
    } finally {
      this.#fetchedAtMs = Date.now();
      this.#fetching = undefined;
      this.#schedule();
    }
  }

  #store(fetched: Version<T>): Version<T> {
    const previous = this.#version;
    if (previous !== undefined && this.#supersededId === fetched.versionId) return previous;
    this.#supersededId = undefined;
    if (previous?.versionId === fetched.versionId) return previous;
    this.#version = fetched;
    for (const listener of this.#listeners) listener(fetched, previous);
    return fetched;
  }

  #isBackingOff(): boolean {
    return performance.now() < this.#backOffEndsMs;
  }

  /** Doubles while fetches fail, so that a throttled service gets fewer; at least `minRefreshIntervalMs`. */
  #backOff(): void {
    const { minRefreshIntervalMs } = this.#options;
    const maxMs = MAX_BACKOFF_FACTOR * minRefreshIntervalMs;
    const pauseMs = backOffMs({ firstMs: minRefreshIntervalMs, maxMs }, this.#failures);
    this.#backOffEndsMs = performance.now() + Math.max(minRefreshIntervalMs, pauseMs);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#starts === 0) return;
    const { refreshIntervalMs, minRefreshIntervalMs } = this.#options;
    // More often while there is no version, since nothing works without one.
    const intervalMs =
      this.#version === undefined
        ? Math.min(refreshIntervalMs, 10 * minRefreshIntervalMs)
        : refreshIntervalMs;
    this.#timer = setTimeout(() => void this.#fetchOnce().catch(() => undefined), jittered(intervalMs));
    this.#timer.unref();
  }
}

/** Adds or subtracts up to a tenth, so that tasks and secrets are not refreshed all at once. */
function jittered(intervalMs: number): number {
  return intervalMs * (0.9 + 0.2 * Math.random());
}
