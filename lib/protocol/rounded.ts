// A file of its own: the handlers that only forward bodies would else bundle the schemas of values, 3 KB.

/** An integer that may have been another one before JavaScript read it. What it writes with an exponent is a double. */
export function isRounded(value: unknown): boolean {
  return typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(String(value));
}
