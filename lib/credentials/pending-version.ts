import type { Version } from './versioned-source.ts';

/**
 * A version of a secret that is not current: the pending one of a rotation, or the previous one. It is fetched only while
 * the current one is refused.
 */
export class LabelledVersion<T> {
  readonly #fetch: () => Promise<Version<T> | undefined>;
  readonly #minIntervalMs: number;
  #found: Promise<Version<T> | undefined> | undefined;
  #isFetching = false;
  #expiresAtMs = 0;

  /** @param minIntervalMs Least time between two fetches. */
  constructor(fetch: () => Promise<Version<T> | undefined>, minIntervalMs: number) {
    this.#fetch = fetch;
    this.#minIntervalMs = minIntervalMs;
  }

  /** Undefined if there is none, or it cannot be fetched. Callers within the interval share one fetch. Never rejects. */
  async find(): Promise<Version<T> | undefined> {
    const isRecent = this.#isFetching || performance.now() < this.#expiresAtMs;
    if (this.#found === undefined || !isRecent) this.#found = this.#fetchOnce();
    return await this.#found;
  }

  async #fetchOnce(): Promise<Version<T> | undefined> {
    this.#isFetching = true;
    try {
      return await this.#fetch();
    } catch {
      return undefined;
    } finally {
      this.#isFetching = false;
      this.#expiresAtMs = performance.now() + this.#minIntervalMs;
    }
  }
}
