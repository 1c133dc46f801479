// A file of its own, so that handlers which only forward bodies do not bundle the schemas of values, 3 KB.

/** An integer beyond 2^53, which JavaScript may have rounded. One that it writes with an exponent counts as a double. */
export function isRounded(value: unknown): boolean {
  return typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(String(value));
}
