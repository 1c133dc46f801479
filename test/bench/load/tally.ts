import type { Outcome, Quantiles } from './job.ts';

/** Counts operations as they end, from a moment of `performance.now()` on until it is closed. */
export class Tally {
  readonly #fromMs: number;
  readonly #latenciesMs: number[] = [];
  readonly #failures = new Map<string, number>();
  readonly #cpuBefore = process.cpuUsage();
  readonly #sinceMs = performance.now();
  #operations = 0;
  #closedMs: number | undefined;

  constructor(fromMs: number) {
    this.#fromMs = fromMs;
  }

  /** Operations that succeeded and count. */
  get succeeded(): number {
    return this.#latenciesMs.length;
  }

  /** @param dueMs When it was to begin. */
  async count(dueMs: number, operation: Promise<void>): Promise<void> {
    const failure = await operation.then(() => undefined, nameOf);
    const nowMs = performance.now();
    this.#operations += 1;
    if (nowMs < this.#fromMs || this.#closedMs !== undefined) return;
    if (failure === undefined) this.#latenciesMs.push(nowMs - dueMs);
    else this.#failures.set(failure, (this.#failures.get(failure) ?? 0) + 1);
  }

  /** What ends from now on does not count. */
  close(): void {
    this.#closedMs ??= performance.now();
  }

  outcome(): Outcome {
    this.close();
    const nowMs = performance.now();
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    return {
      perSecond: (this.#latenciesMs.length * 1_000) / ((this.#closedMs ?? nowMs) - this.#fromMs),
      latencyMs: quantiles(this.#latenciesMs),
      failures: Object.fromEntries(this.#failures),
      operations: this.#operations,
      ownCpuShare: (user + system) / 1_000 / (nowMs - this.#sinceMs),
    };
  }
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999) };
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}
