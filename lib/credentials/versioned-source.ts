/** A value, and a name for this state of it. The name gives nothing of the value away. */
export interface Version<T> {
  readonly versionId: string;
  readonly value: T;
}

export interface VersionedSourceOptions {
  /** How often `start` lets it look again; jittered. */
  readonly refreshIntervalMs: number;
  /** Least time between two looks that a refused version forces, and between two while none has succeeded. */
  readonly minRefreshIntervalMs: number;
}

export interface SourceStatus {
  readonly versionId: string | undefined;
  /** When the last look ended, in milliseconds since 1970. */
  readonly lookedAtMs: number | undefined;
  /** Why the last look failed. Undefined: it did not. */
  readonly lastFailure: string | undefined;
  /** The same as the error that it was. */
  readonly failure: unknown;
}

/** Upper bound of the back-off between failing refreshes, as a multiple of minRefreshIntervalMs. */
const LONGEST_FLOOR_FACTOR = 16;

type VersionListener<T> = (version: Version<T>, previous: Version<T> | undefined) => void;

/**
 * A value that changes somewhere else, kept here: one look at a time, and the last good version serves while
 * looks fail.
 */
export class VersionedSource<T> {
  readonly #fetch: () => Promise<Version<T>>;
  readonly #options: VersionedSourceOptions;
  readonly #listeners: VersionListener<T>[] = [];
  #version: Version<T> | undefined;
  #looking: Promise<Version<T>> | undefined;
  #lookedAtMs: number | undefined;
  #failure: Error | undefined;
  #failures = 0;
  /** The version in whose place one was adopted that no look has found yet. */
  #supersededId: string | undefined;
  /** No look that the floor applies to before this moment of the monotonic clock. */
  #floorEndsMs = 0;
  #starts = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(look: () => Promise<Version<T>>, options: VersionedSourceOptions) {
    this.#fetch = look;
    this.#options = options;
  }

  /** The version known here; the first call looks for it. Rejects while no look has succeeded yet. */
  async current(): Promise<Version<T>> {
    if (this.#version !== undefined) return this.#version;
    if (this.#looking === undefined && this.#failure !== undefined && this.#isBelowFloor())
      throw this.#failure;
    return await this.#lookOnce();
  }

  /**
   * Looks again. For a refused version only if it is still the one known here, and only if no look was forced
   * within `minRefreshIntervalMs`; else the answer is the version known here.
   */
  async refresh(refusedVersionId?: string): Promise<Version<T>> {
    const known = this.#version;
    if (known === undefined) return await this.current();
    if (refusedVersionId === undefined) {
      // A look that is under way may have begun before the change that the caller knows of.
      await this.#looking;
      return await this.#lookOnce();
    }
    if (known.versionId !== refusedVersionId) return known;
    this.#supersededId = undefined;
    if (this.#looking === undefined) {
      if (this.#isBelowFloor()) return known;
      this.#raiseFloor();
    }
    return await this.#lookOnce();
  }

  /**
   * Takes a version that looks are about to find in the place of this one. Until they do they change nothing, unless
   * it is refused.
   */
  adopt(version: Version<T>, inPlaceOfId: string): void {
    if (this.#version?.versionId !== inPlaceOfId) return;
    this.#keep(version);
    this.#supersededId = inPlaceOfId;
  }

  /** Tells of every version that differs from the one before it. Listeners must not throw. */
  onVersion(listener: VersionListener<T>): void {
    this.#listeners.push(listener);
  }

  status(): SourceStatus {
    return {
      versionId: this.#version?.versionId,
      lookedAtMs: this.#lookedAtMs,
      lastFailure: this.#failure?.message,
      failure: this.#failure,
    };
  }

  /** Looks again from time to time, until `close` was called as often as `start`. */
  start(): void {
    this.#starts += 1;
    this.#schedule();
  }

  close(): void {
    this.#starts -= 1;
    if (this.#starts === 0) clearTimeout(this.#timer);
  }

  async #lookOnce(): Promise<Version<T>> {
    this.#looking ??= this.#lookAndKeep();
    return await this.#looking;
  }

  async #lookAndKeep(): Promise<Version<T>> {
    try {
      const seen = await this.#fetch();
      this.#failure = undefined;
      this.#failures = 0;
      return this.#keep(seen);
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error('The look failed', { cause: error });
      this.#failures += 1;
      this.#raiseFloor();
      if (this.#version === undefined) throw this.#failure;
      return this.#version;
    } finally {
      this.#lookedAtMs = Date.now();
      this.#looking = undefined;
      this.#schedule();
    }
  }

  #keep(seen: Version<T>): Version<T> {
    const previous = this.#version;
    if (previous !== undefined && this.#supersededId === seen.versionId) return previous;
    this.#supersededId = undefined;
    if (previous?.versionId === seen.versionId) return previous;
    this.#version = seen;
    for (const listener of this.#listeners) listener(seen, previous);
    return seen;
  }

  #isBelowFloor(): boolean {
    return performance.now() < this.#floorEndsMs;
  }

  /** While looks fail, twice as high each time, less up to a half at random: whoever throttles us wants fewer. */
  #raiseFloor(): void {
    const { minRefreshIntervalMs } = this.#options;
    const factor = Math.min(2 ** this.#failures, LONGEST_FLOOR_FACTOR);
    const floorMs = Math.max(1, factor * (1 - Math.random() / 2)) * minRefreshIntervalMs;
    this.#floorEndsMs = performance.now() + floorMs;
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#starts === 0) return;
    const { refreshIntervalMs, minRefreshIntervalMs } = this.#options;
    // Without any version nothing works: that is worth more frequent looks.
    const intervalMs =
      this.#version === undefined
        ? Math.min(refreshIntervalMs, 10 * minRefreshIntervalMs)
        : refreshIntervalMs;
    this.#timer = setTimeout(() => void this.#lookOnce().catch(() => undefined), jittered(intervalMs));
    this.#timer.unref();
  }
}

/** By up to a tenth either way, so that tasks and secrets do not look all at once. */
function jittered(intervalMs: number): number {
  return intervalMs * (0.9 + 0.2 * Math.random());
}
