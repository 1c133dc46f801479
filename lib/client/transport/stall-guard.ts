import type { IncomingMessage } from 'node:http';
import { afterNextPoll } from '../../async/after-next-poll.ts';
import { BrokerError } from '../../errors.ts';

export interface StallOptions {
  /** The longest wait for more data, without the time that the reader needs for what it has. */
  readonly stallMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * The chunks of a stream, read only on demand. Leaving the loop before the end hangs up.
 *
 * @throws {BrokerError} `BROKER_UNREACHABLE`: it stalls, or breaks off. If the signal is aborted, its reason.
 */
export async function* guardedChunks(
  stream: IncomingMessage,
  { stallMs, signal }: StallOptions,
): AsyncGenerator<Buffer, void, undefined> {
  let problem: string | undefined;
  let waits = 0;
  const stall = () => {
    problem = `The broker sent nothing for ${stallMs} ms`;
    stream.destroy();
  };
  // What arrived while the event loop was busy is not late.
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
