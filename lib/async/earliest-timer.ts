import { beforeRefusal } from './before-refusal.ts';

/**
 * One timer for many deadlines, set for the earliest of them and left alone when that one is met. Most deadlines are
 * met, and a timer for each would cost more than what it bounds. It fires once pending I/O was handled.
 */
export class EarliestTimer {
  readonly #onDue: (nowMs: number) => number;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Number.POSITIVE_INFINITY;
  #keepsAwake = false;

  /** `onDue(nowMs)` handles everything due and returns the next due time, or Infinity. It is never called early. */
  constructor(onDue: (nowMs: number) => number) {
    this.#onDue = onDue;
  }

  /** Fires at this moment too. */
  setFor(atMs: number): void {
    if (atMs >= this.#atMs) return;
    this.stop();
    this.#atMs = atMs;
    const timer = setTimeout(
      () => {
        beforeRefusal(atMs, () => {
          if (this.#timer !== timer) return;
          this.stop();
          this.setFor(this.#onDue(performance.now()));
        });
      },
      Math.ceil(atMs - performance.now()),
    );
    this.#timer = timer;
    if (!this.#keepsAwake) this.#timer.unref();
  }

  /** Whether the process stays alive until the timer fires. Default: no. */
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
