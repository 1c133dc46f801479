import { BrokerError } from '../../errors.ts';
import type { StreamLimits } from '../../mysql/connection/execution-options.ts';
import type { LineReader, StreamResult } from '../../mysql/result/row-stream.ts';
import { toFailureBody } from '../../protocol/failure.ts';
import { IDEMPOTENCY_HEADER } from '../../protocol/routes.ts';
import { STREAM_TYPE, type StreamLine } from '../../protocol/stream.ts';
import type { Database } from '../databases/pool-registry.ts';
import { prefers } from '../http/accept.ts';
import { type Call, CallerGone } from '../http/call.ts';
import { failureOf } from '../http/error-reply.ts';
import type { SqlRequest } from '../requests/sql-request.ts';
import { roundMs } from '../requests/sql-request.ts';
import { StreamReply } from './ndjson-reply.ts';
import type { StreamRegistry } from './stream-registry.ts';

/** @throws {BrokerError} INVALID_REQUEST: what a stream answers cannot be kept for another time. */
export function asksForStream({ headers }: Call): boolean {
  if (!prefers(headers.accept, STREAM_TYPE, 'application/json')) return false;
  if (headers[IDEMPOTENCY_HEADER] !== undefined) {
    throw new BrokerError(
      'INVALID_REQUEST',
      `A stream cannot be idempotent: leave out ${IDEMPOTENCY_HEADER}`,
    );
  }
  return true;
}

/** `maxResultBytes` is for replies that are put together in memory, and so is the alias's own `maxRows`. */
export function streamLimitsOf(
  { settings: { limits } }: Database,
  maxRows: number | undefined,
): StreamLimits {
  return { maxRows, maxRowBytes: limits.maxRowBytes, stallMs: limits.streamStallMs };
}

/** A request that is answered with a stream. */
export interface StreamCall {
  readonly call: Call;
  readonly database: Database;
  readonly sqlCall: SqlRequest;
  readonly streams: StreamRegistry;
}

/**
 * Answers with what `run` gives the reader, then how it ended.
 *
 * @throws {BrokerError} TOO_MANY_STREAMS. Or what fails before the first row.
 */
export async function answerWithStream(
  { call, database, sqlCall, streams }: StreamCall,
  run: (sqlCall: SqlRequest, reader: LineReader) => Promise<StreamResult>,
): Promise<void> {
  const stream = new StreamReply(call, database.settings.limits.streamStallMs);
  try {
    const result = await streams.run(database, sqlCall, (stoppable) => run(stoppable, stream));
    const { durationMs, queueMs } = call;
    const end = { ...result, durationMs: roundMs(durationMs), queueMs: roundMs(queueMs) };
    stream.end({ end } satisfies StreamLine);
  } catch (error) {
    if (!stream.hasBegun) throw error;
    if (error instanceof CallerGone) return;
    stream.end(toFailureBody(failureOf(call, error), call.id));
  }
}
