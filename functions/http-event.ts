import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import * as z from 'zod/mini';
import type { BrokerReply } from '../lib/client/transport/broker-reply.ts';
import { BrokerError } from '../lib/errors.ts';
import { toFailureBody } from '../lib/protocol/failure.ts';
import { REQUEST_ID_HEADER } from '../lib/protocol/routes.ts';
import { FUNCTION_RESERVE_MS } from '../lib/protocol/verdict-times.ts';
import { checkReplySize } from './reply-size.ts';

/** As a JSON string a body may double, and Lambda allows 6 MB. */
const ESCAPABLE_BYTES = 3_000_000;
/** In base64, with room for the headers. */
const MAX_REPLY_BYTES = 4_700_000;

/** The fields of an HTTP API event (payload 2.0) that the functions use. */
const HttpEvent = z.object({
  headers: z._default(z.record(z.string(), z.string()), {}),
  pathParameters: z.optional(z.record(z.string(), z.string())),
  body: z.nullish(z.string()),
  isBase64Encoded: z._default(z.boolean(), false),
});
export type HttpEvent = z.infer<typeof HttpEvent>;

/**
 * The event of an HTTP API; undefined if the function was invoked directly. A malformed event is returned as an empty one,
 * which is then refused.
 */
export function parseHttpEvent(event: unknown): HttpEvent | undefined {
  const isHttp = typeof event === 'object' && event !== null && 'requestContext' in event;
  if (!isHttp) return undefined;
  const parsed = HttpEvent.safeParse(event);
  return parsed.success ? parsed.data : { headers: {}, isBase64Encoded: false };
}

/** Only JSON: a web page could send other content types to a function that runs locally without a CORS preflight. */
export function eventBody({ headers, body, isBase64Encoded }: HttpEvent): string {
  if (!/^application\/json *(;|$)/i.test(headers['content-type'] ?? '')) {
    throw new BrokerError('UNSUPPORTED_MEDIA_TYPE', 'The content-type must be application/json');
  }
  if (!body) throw invalidBody('must be a JSON object');
  return isBase64Encoded ? decodeText(Buffer.from(body, 'base64')) : body;
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw invalidBody('must be UTF-8', cause);
  }
}

function invalidBody(problem: string, cause?: unknown): BrokerError {
  return new BrokerError('INVALID_REQUEST', `the body ${problem}`, { cause });
}

/** The caller's request id if the broker would accept it, else Lambda's. */
export function eventRequestId(event: HttpEvent, context: Context): string {
  const given = event.headers[REQUEST_ID_HEADER] ?? '';
  return /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : context.awsRequestId;
}

/** The part of the function's remaining time that the broker may use. */
export function timeoutOf(context: Context): number {
  return Math.max(1, context.getRemainingTimeInMillis() - FUNCTION_RESERVE_MS);
}

/**
 * The broker's reply, unchanged, as the function's reply.
 *
 * @throws {BrokerError} `RESULT_TOO_LARGE`
 */
export function toHttpReply(reply: BrokerReply, requestId: string): APIGatewayProxyStructuredResultV2 {
  const isBase64Encoded = checkReplySize(reply.body, MAX_REPLY_BYTES) > ESCAPABLE_BYTES;
  return {
    statusCode: reply.status,
    headers: {
      'content-type': 'application/json',
      [REQUEST_ID_HEADER]: reply.requestId ?? requestId,
      ...(reply.retryAfter !== undefined && { 'retry-after': reply.retryAfter }),
    },
    body: isBase64Encoded ? Buffer.from(reply.body).toString('base64') : reply.body,
    isBase64Encoded,
  };
}

export function failureReply(error: BrokerError, requestId: string): APIGatewayProxyStructuredResultV2 {
  const { httpStatus: status } = error;
  const body = JSON.stringify(toFailureBody(error, error.requestId ?? requestId));
  return toHttpReply({ status, requestId, retryAfter: undefined, body }, requestId);
}
