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
    interrupt(
      (outcome) =>
        new BrokerError('DEADLINE_EXCEEDED', 'The deadline passed while the statement ran', { outcome }),
    );
  }, deadline.remainingMs);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort);
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  };
}

export async function delay(durationMs: number): Promise<undefined> {
  return await new Promise((resolve) => {
    setTimeout(() => resolve(undefined), durationMs).unref();
  });
}
