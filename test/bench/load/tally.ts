import type { Outcome, Quantiles } from './job.ts';

/** Counts operations as they end. */
export class Tally {
  readonly #fromMs: number;
  readonly #untilMs: number;
  readonly #latenciesMs: number[] = [];
  readonly #failures = new Map<string, number>();
  readonly #cpuBefore = process.cpuUsage();
  readonly #sinceMs = performance.now();
  #operations = 0;

  /** Only what ends between these moments of `performance.now()` counts. */
  constructor(fromMs = 0, untilMs = Number.POSITIVE_INFINITY) {
    this.#fromMs = fromMs;
    this.#untilMs = untilMs;
  }

  /** @param dueMs When it was to begin. */
  async count(dueMs: number, operation: Promise<void>): Promise<void> {
    const failure = await operation.then(() => undefined, nameOf);
    const nowMs = performance.now();
    this.#operations += 1;
    if (nowMs < this.#fromMs || nowMs > this.#untilMs) return;
    if (failure === undefined) this.#latenciesMs.push(nowMs - dueMs);
    else this.#failures.set(failure, (this.#failures.get(failure) ?? 0) + 1);
  }

  outcome(elapsedMs: number): Outcome {
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    return {
      perSecond: (this.#latenciesMs.length * 1_000) / elapsedMs,
      latencyMs: quantiles(this.#latenciesMs),
      failures: Object.fromEntries(this.#failures),
      operations: this.#operations,
      ownCpuShare: (user + system) / 1_000 / (performance.now() - this.#sinceMs),
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
