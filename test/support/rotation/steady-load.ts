import { setTimeout as delay } from 'node:timers/promises';
import type { HttpReply } from '../http.ts';

/** A machine that is too slow for the pace gets no more than this at once. */
const MAX_UNDER_WAY = 100;

export interface LoadReport {
  readonly served: number;
  /** What callers were told instead. */
  readonly failures: readonly string[];
  readonly p99Ms: number;
  readonly slowestMs: number;
}

/** Requests at a steady pace, however slowly they are answered. */
export class SteadyLoad {
  readonly #ask: (turn: number) => Promise<HttpReply>;
  readonly #underWay = new Set<Promise<void>>();
  readonly #running: Promise<void>;
  #latenciesMs: number[] = [];
  #failures: string[] = [];
  #isOver = false;

  constructor(perSecond: number, ask: (turn: number) => Promise<HttpReply>) {
    this.#ask = ask;
    this.#running = this.#run(1_000 / perSecond);
  }

  /** What was answered since the last time. */
  take(): LoadReport {
    const latenciesMs = this.#latenciesMs.toSorted((one, other) => one - other);
    const failures = this.#failures;
    this.#latenciesMs = [];
    this.#failures = [];
    return {
      served: latenciesMs.length,
      failures,
      p99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? 0,
      slowestMs: latenciesMs.at(-1) ?? 0,
    };
  }

  /** Waits for the replies that are still due. */
  async stop(): Promise<LoadReport> {
    this.#isOver = true;
    await this.#running;
    await Promise.all(this.#underWay);
    return this.take();
  }

  async #run(intervalMs: number): Promise<void> {
    const sinceMs = performance.now();
    for (let turn = 0; !this.#isOver; turn += 1) {
      const earlyMs = sinceMs + turn * intervalMs - performance.now();
      if (earlyMs > 0) await delay(earlyMs);
      if (this.#underWay.size >= MAX_UNDER_WAY) await Promise.race(this.#underWay);
      const asked = this.#askOnce(turn).finally(() => this.#underWay.delete(asked));
      this.#underWay.add(asked);
    }
  }

  async #askOnce(turn: number): Promise<void> {
    const sinceMs = performance.now();
    try {
      const { status, text } = await this.#ask(turn);
      if (status === 200) this.#latenciesMs.push(performance.now() - sinceMs);
      else this.#failures.push(`${status} ${text}`);
    } catch (error) {
      this.#failures.push(String(error));
    }
  }
}
