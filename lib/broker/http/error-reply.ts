import { BrokerError } from '../../errors.ts';
import { toFailureBody } from '../../protocol/failure.ts';
import { type Call, replyOf } from './call.ts';
import { lingerAfterReply } from './sockets/linger.ts';

/** Seconds that a caller should wait before it retries. */
const RETRY_AFTER_S = '1';
const RETRY_AFTER_STATUSES: ReadonlySet<number> = new Set([429, 503]);

/** Answers with a failure, in the documented form. */
export function sendFailure(call: Call, cause: unknown): void {
  const failure = failureOf(call, cause);
  if (RETRY_AFTER_STATUSES.has(failure.httpStatus)) call.replyHeaders['retry-after'] = RETRY_AFTER_S;
  const { request, response, replyHeaders } = call;
  // A caller that waits for 100 may send its body or not: the next bytes could be a body or a request.
  const isLast = !response.shouldKeepAlive || call.headers.expect !== undefined;
  if (!request.complete && isLast) {
    replyHeaders.connection = 'close';
    lingerAfterReply(request);
  } else if (!request.complete) delete replyHeaders.connection;
  call.send(replyOf(toFailureBody(failure, call.id), failure.httpStatus));
}

/** The failure that the caller gets. It is noted for the log. */
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

/** For the log: type and stack. Not the message, which may hold what a caller sent. */
function describeUnexpected(error: unknown): { readonly type: string; readonly at: readonly string[] } {
  if (!(error instanceof Error)) return { type: typeof error, at: [] };
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return { type: error.name, at: frames.map((line) => line.trim()) };
}
