/** What repeated measurements say: their middle, and half of the way from the least to the most as a share of it. */
export interface Spread {
  readonly median: number;
  readonly spread: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const median = medianOf(values);
  const range = Math.max(...values) - Math.min(...values);
  return { median, spread: median === 0 ? 0 : range / 2 / median };
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return (upper + lower) / 2;
}
