import type { IncomingMessage } from 'node:http';
import { afterNextPoll } from '../../async/after-next-poll.ts';
import { BrokerError } from '../../errors.ts';

export interface StreamWatch {
  /** The longest wait for more. The time that the reader takes for what it has does not count. */
  readonly stallMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * What comes in over a stream, read no faster than it is asked for. Whoever stops reading before the end hangs up.
 *
 * @throws {BrokerError} `BROKER_UNREACHABLE`: it stalls, or is cut off. Aborted, the signal's reason.
 */
export async function* watchedChunks(
  stream: IncomingMessage,
  { stallMs, signal }: StreamWatch,
): AsyncGenerator<Buffer, void, undefined> {
  let problem: string | undefined;
  let waits = 0;
  const stall = () => {
    problem = `The broker sent nothing for ${stallMs} ms`;
    stream.destroy();
  };
  // What came in while the loop was busy is not late.
  const startTimer = () => {
    const wait = waits;
    return setTimeout(() => afterNextPoll(() => wait === waits && stall()), stallMs);
  };
  const abort = () => stream.destroy();
  signal?.addEventListener('abort', abort);
  let timer = startTimer();
  try {
    if (signal?.aborted) abort();
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      waits += 1;
      clearTimeout(timer);
      yield chunk;
      timer = startTimer();
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw brokenOff(cause, problem);
  } finally {
    waits += 1;
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

export function brokenOff(
  cause?: unknown,
  problem = 'The rows from the broker broke off before their end',
): BrokerError {
  return new BrokerError('BROKER_UNREACHABLE', problem, { outcome: 'unknown', cause });
}
