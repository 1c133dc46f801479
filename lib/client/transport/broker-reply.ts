import type { IncomingMessage } from 'node:http';
import { BrokerError, type ErrorDetails } from '../../errors.ts';
import { FailureBody, fromFailureBody } from '../../protocol/failure.ts';
import { REQUEST_ID_HEADER } from '../../protocol/routes.ts';
import type { HttpReply } from './http-exchange.ts';

const EXCERPT_LENGTH = 200;

/** What the broker answered: whole, and JSON by its content type; or a stream, if that was asked for. */
export interface BrokerReply {
  readonly status: number;
  readonly requestId: string | undefined;
  readonly retryAfter: string | undefined;
  readonly body: string;
  readonly stream?: IncomingMessage | undefined;
}

/** Takes a reply for the broker's. A proxy's page and a reply without an end that can be told are not. */
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

/** The failure that a reply tells of; undefined if it has another form. */
export function readFailure(reply: BrokerReply): BrokerError | undefined {
  const failure = FailureBody.safeParse(parseReply(reply));
  return failure.success ? fromFailureBody(failure.data) : undefined;
}

/** Whoever answered in the broker's place, the broker may have done the work all the same. */
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
