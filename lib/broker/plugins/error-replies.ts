import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BrokerError, type ErrorCode } from '../../errors.ts';
import { toFailureBody } from '../../protocol/failure.ts';
import { CallerGone, callOf } from '../call.ts';

/** What a caller should wait for before the next try. */
const RETRY_AFTER_S = 1;
const RETRY_AFTER_STATUSES: ReadonlySet<number> = new Set([429, 503]);

/** Fastify's own complaints, as far as callers cause them. */
const CODE_BY_FASTIFY_CODE: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['REQUEST_TOO_LARGE', 'The request is larger than the broker takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'The content-type must be application/json'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['INVALID_REQUEST', 'The body is not as long as content-length says'],
  FST_ERR_BAD_URL: ['INVALID_REQUEST', 'The URL is malformed'],
  FST_ERR_MAX_PARAM_LENGTH: ['NOT_FOUND', 'There is nothing at this address'],
};

/** Whatever goes wrong after the request was parsed is answered in the one shape that callers know. */
export function addErrorReplies(app: FastifyInstance): void {
  app.setErrorHandler(async (error: FastifyError | Error, request, reply) => {
    // Nobody hears this.
    if (error instanceof CallerGone || isCutOff(request)) await reply.send();
    else await replyWith(error, request, reply);
  });
  app.setNotFoundHandler(async (request, reply) => {
    await replyWith(new BrokerError('NOT_FOUND', 'There is nothing at this address'), request, reply);
  });
}

/** Answers an address that cannot even be looked up: Fastify runs no hook for such a request. */
export async function replyToBadAddress(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  await replyWith(error, request, reply);
}

/** The caller hung up before its request was complete. */
function isCutOff({ raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete;
}

/** What the caller is told of a failure, which is noted for the log. */
export function failureOf(error: FastifyError | Error, request: FastifyRequest): BrokerError {
  const failure = toBrokerError(error, request);
  callOf(request).code = failure.code;
  if (failure.code === 'INTERNAL') {
    request.log.error({ reqId: request.id, ...describeUnexpected(failure.cause) }, 'unexpected error');
  }
  return failure;
}

async function replyWith(
  cause: FastifyError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const error = failureOf(cause, request);
  // Fastify would hang up on a caller that still sends, who then may never see the reply.
  if (error.code === 'REQUEST_TOO_LARGE') void reply.removeHeader('connection');
  if (RETRY_AFTER_STATUSES.has(error.httpStatus)) void reply.header('retry-after', RETRY_AFTER_S);
  await reply.code(error.httpStatus).send(toFailureBody(error, request.id));
}

/** For the log: where it happened. Not the message, which may hold what a caller sent. */
function describeUnexpected(error: unknown): { readonly type: string; readonly at: readonly string[] } {
  if (!(error instanceof Error)) return { type: typeof error, at: [] };
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return { type: error.name, at: frames.map((line) => line.trim()) };
}

function toBrokerError(error: FastifyError | Error, { routeOptions }: FastifyRequest): BrokerError {
  if (error instanceof BrokerError) return error;
  const [code, message] = ('code' in error ? CODE_BY_FASTIFY_CODE[error.code] : undefined) ?? [];
  if (code === 'REQUEST_TOO_LARGE') {
    return new BrokerError(code, `The request is larger than ${routeOptions.bodyLimit} bytes`);
  }
  if (code !== undefined) return new BrokerError(code, message ?? '');
  return new BrokerError('INTERNAL', 'The broker failed in a way it should not', { cause: error });
}
