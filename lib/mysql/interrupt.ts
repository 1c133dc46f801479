import { BrokerError, type Outcome } from '../errors.ts';
import type { Deadline } from '../pool/deadline.ts';

/** Stops a statement. The error is made when its outcome is known. */
export type Interrupt = (toError: (outcome: Outcome) => unknown) => void;

/** By when a statement must have ended, and who may say earlier that nobody waits for it any more. */
export interface Watched {
  readonly deadline: Deadline;
  readonly signal: AbortSignal | undefined;
}

/** Interrupts when the deadline passes or the caller hangs up. The result takes the watch away. */
export function watch({ deadline, signal }: Watched, interrupt: Interrupt): () => void {
  const onAbort = () => interrupt(() => signal?.reason);
  const timer = setTimeout(() => {
    interrupt((outcome) => new BrokerError('DEADLINE_EXCEEDED', 'The deadline passed', { outcome }));
  }, deadline.remainingMs);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort);
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  };
}

/**
 * What `work` comes to, as long as somebody waits for it. It goes on all the same.
 *
 * @throws {BrokerError} DEADLINE_EXCEEDED with this outcome. Or the signal's reason, or what `work` fails with.
 */
export async function until<T>(work: Promise<T>, watched: Watched, outcome: Outcome): Promise<T> {
  let interrupt: Interrupt = () => undefined;
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = (toError) => reject(toError(outcome));
  });
  const stopWatching = watch(watched, interrupt);
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    stopWatching();
  }
}

export async function delay(durationMs: number): Promise<undefined> {
  return await new Promise((resolve) => {
    setTimeout(() => resolve(undefined), durationMs).unref();
  });
}
