import { BrokerError } from '../../errors.ts';
import type { StreamLimits } from '../../mysql/connection/execution-options.ts';
import type { NdjsonSink, StreamResult } from '../../mysql/result/row-stream.ts';
import { toFailureBody } from '../../protocol/failure.ts';
import { IDEMPOTENCY_HEADER } from '../../protocol/routes.ts';
import { STREAM_TYPE, type StreamLine } from '../../protocol/stream.ts';
import type { Database } from '../databases/pool-registry.ts';
import { prefers } from '../http/accept.ts';
import { type Call, CallerGone } from '../http/call.ts';
import { failureOf } from '../http/error-reply.ts';
import { roundMs, type SqlRequest } from '../requests/sql-request.ts';
import { StreamReply } from './ndjson-reply.ts';
import type { StreamRegistry } from './stream-registry.ts';

/** @throws {BrokerError} INVALID_REQUEST: it has an idempotency key, and the answer of a stream is not stored. */
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

/** `maxResultBytes` and the alias's `maxRows` bound replies in memory, so they do not apply here. */
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
  readonly sqlRequest: SqlRequest;
  readonly streams: StreamRegistry;
}

/**
 * Answers with the lines that `run` writes, then with the last line: `end` or `error`.
 *
 * @throws {BrokerError} TOO_MANY_STREAMS. Or what fails before the first row.
 */
export async function answerWithStream(
  { call, database, sqlRequest, streams }: StreamCall,
  run: (sqlRequest: SqlRequest, sink: NdjsonSink) => Promise<StreamResult>,
): Promise<void> {
  const stream = new StreamReply(call, database.settings.limits.streamStallMs);
  try {
    const result = await streams.run(database, sqlRequest, (cancelable) => run(cancelable, stream));
    const { durationMs, queueMs } = call;
    const end = { ...result, durationMs: roundMs(durationMs), queueMs: roundMs(queueMs) };
    stream.end({ end } satisfies StreamLine);
  } catch (error) {
    if (!stream.hasBegun) throw error;
    if (error instanceof CallerGone) return;
    stream.end(toFailureBody(failureOf(call, error), call.id));
  }
}
