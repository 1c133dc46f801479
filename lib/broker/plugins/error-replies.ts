import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BrokerError, type ErrorCode } from '../../errors.ts';
import { toFailureBody } from '../../protocol/failure.ts';
import { REQUEST_ID_HEADER } from '../../protocol/routes.ts';
import { callOf } from '../call.ts';
import { CallerGone } from '../deadlines.ts';
import { newRequestId } from '../request-id.ts';

/** What a caller should wait for before the next try. */
const RETRY_AFTER_S = 1;
const RETRY_AFTER_STATUSES: ReadonlySet<number> = new Set([429, 503]);

/** Fastify's own complaints, as far as callers cause them. */
const CODE_BY_FASTIFY_CODE: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['REQUEST_TOO_LARGE', 'The request is larger than the broker takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'The content-type must be application/json'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['INVALID_REQUEST', 'The body is empty; it must be JSON'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['INVALID_REQUEST', 'The body is not valid JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['INVALID_REQUEST', 'The body is not as long as content-length says'],
  FST_ERR_BAD_URL: ['INVALID_REQUEST', 'The URL is malformed'],
  FST_ERR_MAX_PARAM_LENGTH: ['NOT_FOUND', 'There is nothing at this address'],
};

const CODE_BY_PARSER_CODE: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'The request was not complete in time'],
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'The headers are larger than the broker takes'],
};

/** Whatever goes wrong after the request was parsed is answered in the one shape that callers know. */
export function addErrorReplies(app: FastifyInstance, bodyLimitBytes: number): void {
  app.setErrorHandler(async (error: FastifyError | Error, request, reply) => {
    // Nobody hears this.
    if (error instanceof CallerGone) await reply.send();
    else await replyWith(toBrokerError(error, bodyLimitBytes), request, reply);
  });
  app.setNotFoundHandler(async (request, reply) => {
    await replyWith(new BrokerError('NOT_FOUND', 'There is nothing at this address'), request, reply);
  });
}

async function replyWith(error: BrokerError, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  callOf(request).code = error.code;
  if (error.code === 'INTERNAL') request.log.error(describeUnexpected(error.cause), 'unexpected error');
  if (RETRY_AFTER_STATUSES.has(error.httpStatus)) void reply.header('retry-after', RETRY_AFTER_S);
  await reply.code(error.httpStatus).send(toFailureBody(error, request.id));
}

/** For the log: where it happened. Not the message, which may hold what a caller sent. */
function describeUnexpected(error: unknown): { readonly type: string; readonly at: readonly string[] } {
  if (!(error instanceof Error)) return { type: typeof error, at: [] };
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return { type: error.name, at: frames.map((line) => line.trim()) };
}

function toBrokerError(error: FastifyError | Error, bodyLimitBytes: number): BrokerError {
  if (error instanceof BrokerError) return error;
  const [code, message] = ('code' in error ? CODE_BY_FASTIFY_CODE[error.code] : undefined) ?? [];
  if (code === 'REQUEST_TOO_LARGE') {
    return new BrokerError(code, `The request is larger than ${bodyLimitBytes} bytes`);
  }
  if (code !== undefined) return new BrokerError(code, message ?? '');
  if (error instanceof SyntaxError) return new BrokerError('INVALID_REQUEST', 'The body is not valid JSON');
  return new BrokerError('INTERNAL', 'The broker failed in a way it should not', { cause: error });
}

/** Answers what never became a request: garbage, too long headers, a sender that is too slow. */
export function replyToClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, message] = CODE_BY_PARSER_CODE[error.code ?? ''] ?? [
    'INVALID_REQUEST',
    'This is not a valid HTTP request',
  ];
  const failure = new BrokerError(code, message);
  const requestId = newRequestId();
  const body = JSON.stringify(toFailureBody(failure, requestId));
  const head = [
    `HTTP/1.1 ${failure.httpStatus} ${STATUS_CODES[failure.httpStatus]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `${REQUEST_ID_HEADER}: ${requestId}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
