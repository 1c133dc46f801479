import { BrokerError } from '../../errors.ts';
import { toFailureBody } from '../../protocol/failure.ts';
import type { Call } from './call.ts';
import { replyOf } from './reply.ts';

/** What a caller should wait for before the next try. */
const RETRY_AFTER_S = '1';
const RETRY_AFTER_STATUSES: ReadonlySet<number> = new Set([429, 503]);

/** Answers with what went wrong, in the one shape that callers know. */
export function sendFailure(call: Call, cause: unknown): void {
  const failure = failureOf(call, cause);
  if (RETRY_AFTER_STATUSES.has(failure.httpStatus)) call.replyHeaders['retry-after'] = RETRY_AFTER_S;
  // A caller that is hung up on while it still sends may never see the reply.
  if (!call.request.complete && call.headers.expect !== undefined) {
    // It may send its body or not: what comes next on this connection could be either.
    call.replyHeaders.connection = 'close';
  } else if (!call.request.complete) {
    delete call.replyHeaders.connection;
    // Also of one that asked for that. It closes the connection by itself.
    call.response.shouldKeepAlive = true;
  }
  call.send(replyOf(toFailureBody(failure, call.id), failure.httpStatus));
}

/** What the caller is told of a failure, which is noted for the log. */
export function failureOf(call: Call, cause: unknown): BrokerError {
  const failure = cause instanceof BrokerError ? cause : unexpected(cause);
  call.code = failure.code;
  call.failure = failure;
  if (failure.code === 'INTERNAL') {
    call.log.error({ reqId: call.id, ...describeUnexpected(failure.cause) }, 'unexpected error');
  }
  return failure;
}

function unexpected(cause: unknown): BrokerError {
  return new BrokerError('INTERNAL', 'The broker failed in a way it should not', { cause });
}

/** For the log: where it happened. Not the message, which may hold what a caller sent. */
function describeUnexpected(error: unknown): { readonly type: string; readonly at: readonly string[] } {
  if (!(error instanceof Error)) return { type: typeof error, at: [] };
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return { type: error.name, at: frames.map((line) => line.trim()) };
}
