import { setTimeout as delay } from 'node:timers/promises';

export interface PollOptions {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Rejects when there is no point in going on. */
  readonly hopeless: Promise<never>;
}

/**
 * Repeats an attempt until it answers true.
 *
 * @param attempt Is told by its signal when nobody waits for its answer any more.
 * @throws {Error} `timeoutMs` have passed, or what `hopeless` was rejected with.
 */
export async function pollUntil(
  attempt: (signal: AbortSignal) => Promise<boolean>,
  { intervalMs, timeoutMs, hopeless }: PollOptions,
): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  // A timer of our own: on Node 20 an AbortSignal.timeout() inside AbortSignal.any() may be collected and never fire.
  const timer = setTimeout(() => over.abort(), timeoutMs);
  const succeed = async () => {
    while (!(await attempt(signal))) {
      if (signal.aborted) throw new Error(`nothing came within ${timeoutMs} ms`);
      await delay(intervalMs);
    }
  };
  try {
    await Promise.race([succeed(), hopeless]);
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}
