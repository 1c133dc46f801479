import { type Link, LinkedList } from '../collections/linked-list.ts';
import { EarliestTimer } from './earliest-timer.ts';

interface Run extends Link<Run> {
  readonly dueAtMs: number;
  readonly reject: (error: Error) => void;
}

/** One time limit for many promises, with a single timer: for work that is too frequent to set a timer for each. */
export class SharedTimeout {
  readonly #limitMs: number;
  /** In the order of their due times. */
  readonly #runs = new LinkedList<Run>();
  readonly #timer: EarliestTimer;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#timer = new EarliestTimer((nowMs) => this.#onDue(nowMs));
  }

  /** Resolves or rejects as `work` does, or rejects once the limit has passed. Keeps no process alive. */
  race<T>(work: Promise<T>, nowMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const run: Run = {
        next: undefined,
        previous: undefined,
        isLinked: false,
        dueAtMs: nowMs + this.#limitMs,
        reject,
      };
      this.#runs.push(run);
      this.#timer.setFor(run.dueAtMs);
      work.then(
        (value) => {
          this.#runs.remove(run);
          resolve(value);
        },
        (error: unknown) => {
          this.#runs.remove(run);
          reject(error);
        },
      );
    });
  }

  #onDue(nowMs: number): number {
    for (let run = this.#runs.first; run !== undefined && run.dueAtMs <= nowMs; run = this.#runs.first) {
      this.#runs.remove(run);
      run.reject(new Error(`no answer within ${this.#limitMs} ms`));
    }
    return this.#runs.first?.dueAtMs ?? Number.POSITIVE_INFINITY;
  }
}
