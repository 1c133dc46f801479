import type { IncomingMessage } from 'node:http';
import { BrokerError, type ErrorDetails } from '../../errors.ts';
import { FailureBody, fromFailureBody } from '../../protocol/failure.ts';
import { REQUEST_ID_HEADER } from '../../protocol/routes.ts';
import type { HttpReply } from './http-exchange.ts';

const EXCERPT_LENGTH = 200;

/** The broker's reply: complete, with a JSON content type; or a stream, if one was requested. */
export interface BrokerReply {
  readonly status: number;
  readonly requestId: string | undefined;
  readonly retryAfter: string | undefined;
  readonly body: string;
  readonly stream?: IncomingMessage | undefined;
}

/** Checks that a reply is the broker's. A proxy's page, or a reply that may be truncated, is not. */
export function toBrokerReply({ status, headers, body, stream }: HttpReply): BrokerReply {
  const requestId = headers[REQUEST_ID_HEADER]?.toString();
  const retryAfter = headers['retry-after'];
  if (stream !== undefined) return { status, requestId, retryAfter, body, stream };
  if (!headers['content-type']?.startsWith('application/json')) {
    throw unusableReply(status, requestId, { details: { body: body.slice(0, EXCERPT_LENGTH) } });
  }
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) {
    throw unusableReply(status, requestId);
  }
  return { status, requestId, retryAfter, body };
}

export function parseReply({ status, requestId, body }: BrokerReply): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw unusableReply(status, requestId, { cause });
  }
}

/** The failure in a reply; undefined if it has another form. */
export function readFailure(reply: BrokerReply): BrokerError | undefined {
  const failure = FailureBody.safeParse(parseReply(reply));
  return failure.success ? fromFailureBody(failure.data) : undefined;
}

/** The reply is not the broker's, but the broker may have done the work. */
export function unusableReply(
  status: number,
  requestId: string | undefined,
  { details, cause }: { readonly details?: ErrorDetails; readonly cause?: unknown } = {},
): BrokerError {
  const message = `The broker's reply could not be used (HTTP status ${status})`;
  return new BrokerError('BROKER_UNREACHABLE', message, {
    outcome: 'unknown',
    requestId,
    details: { status, ...details },
    cause,
  });
}
