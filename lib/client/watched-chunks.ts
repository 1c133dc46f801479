import type { Readable } from 'node:stream';
import { BrokerError } from '../errors.ts';

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
  stream: Readable,
  { stallMs, signal }: StreamWatch,
): AsyncGenerator<Buffer, void, undefined> {
  let problem: string | undefined;
  const stall = () => {
    problem = `The broker sent nothing for ${stallMs} ms`;
    stream.destroy();
  };
  const abort = () => stream.destroy();
  signal?.addEventListener('abort', abort);
  let timer = setTimeout(stall, stallMs);
  try {
    if (signal?.aborted) abort();
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      clearTimeout(timer);
      yield chunk;
      timer = setTimeout(stall, stallMs);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw brokenOff(cause, problem);
  } finally {
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
