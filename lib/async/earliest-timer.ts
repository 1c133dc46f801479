import { beforeRefusal } from './before-refusal.ts';

/**
 * One timer for many deadlines, set for the earliest of them and left alone when that one is met. Most deadlines are
 * met, and a timer for each would cost more than what it bounds. It rings once the sockets have been looked at.
 */
export class EarliestTimer {
  readonly #ring: (nowMs: number) => number;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Number.POSITIVE_INFINITY;
  #keepsAwake = false;

  /** `ring` sees to all that is due, and tells when to ring next: never early, and infinity for not at all. */
  constructor(ring: (nowMs: number) => number) {
    this.#ring = ring;
  }

  /** Rings at this moment too. */
  setFor(atMs: number): void {
    if (atMs >= this.#atMs) return;
    this.stop();
    this.#atMs = atMs;
    const timer = setTimeout(
      () => {
        beforeRefusal(atMs, () => {
          if (this.#timer !== timer) return;
          this.stop();
          this.setFor(this.#ring(performance.now()));
        });
      },
      Math.ceil(atMs - performance.now()),
    );
    this.#timer = timer;
    if (!this.#keepsAwake) this.#timer.unref();
  }

  /** Whether the process stays alive until it rings. Not unless told. */
  keepProcessAlive(isWanted: boolean): void {
    this.#keepsAwake = isWanted;
    if (isWanted) this.#timer?.ref();
    else this.#timer?.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#atMs = Number.POSITIVE_INFINITY;
  }
}
