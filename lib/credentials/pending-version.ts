import type { Version } from './versioned-source.ts';

/**
 * A version of a secret that is not in force: the one that a rotation is about to put in force, or the one before. It
 * is looked for only while the one in force is refused.
 */
export class LabelledVersion<T> {
  readonly #look: () => Promise<Version<T> | undefined>;
  readonly #minIntervalMs: number;
  #seen: Promise<Version<T> | undefined> | undefined;
  #isLooking = false;
  #floorEndsMs = 0;

  /** @param minIntervalMs Least time between two looks. */
  constructor(look: () => Promise<Version<T> | undefined>, minIntervalMs: number) {
    this.#look = look;
    this.#minIntervalMs = minIntervalMs;
  }

  /** Undefined if there is none that can be used. One look serves all that ask within the interval. Never rejects. */
  async find(): Promise<Version<T> | undefined> {
    const isRecent = this.#isLooking || performance.now() < this.#floorEndsMs;
    if (this.#seen === undefined || !isRecent) this.#seen = this.#lookOnce();
    return await this.#seen;
  }

  async #lookOnce(): Promise<Version<T> | undefined> {
    this.#isLooking = true;
    try {
      return await this.#look();
    } catch {
      return undefined;
    } finally {
      this.#isLooking = false;
      this.#floorEndsMs = performance.now() + this.#minIntervalMs;
    }
  }
}
