interface BackOff {
  readonly firstMs: number;
  /** Upper bound of the pause. */
  readonly maxMs: number;
  /** Fraction of the pause that is random. Default 0.5. */
  readonly jitter?: number;
}

/**
 * The pause after so many failures before this one: exponential, with a random part, so that callers that failed
 * together do not retry together. With `jitter` 0.5 it is the "equal jitter" of
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
 */
export function backOffMs({ firstMs, maxMs, jitter = 0.5 }: BackOff, failures: number): number {
  return Math.min(firstMs * 2 ** failures, maxMs) * (1 - jitter + jitter * Math.random());
}
