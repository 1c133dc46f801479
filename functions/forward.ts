import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { checkArguments, TimeoutMs } from '../lib/client/check-arguments.ts';
import {
  type BrokerReply,
  parseReply,
  readFailure,
  unusableReply,
} from '../lib/client/transport/broker-reply.ts';
import type { BrokerRequest } from '../lib/client/transport/http-transport.ts';
import { openTransport } from '../lib/client/transport/open-transport.ts';
import { BrokerError } from '../lib/errors.ts';
import { isRounded } from '../lib/protocol/rounded.ts';
import { databasePath, IDEMPOTENCY_HEADER } from '../lib/protocol/routes.ts';
import {
  eventBody,
  eventRequestId,
  failureReply,
  type HttpEvent,
  parseHttpEvent,
  timeoutOf,
  toHttpReply,
} from './http-event.ts';
import { checkReplySize, MAX_ANSWER_BYTES } from './reply-size.ts';

const Invocation = z.looseObject({ database: z.string(), timeoutMs: z.optional(TimeoutMs) });

type ForwardRequest = Pick<BrokerRequest, 'body' | 'timeoutMs' | 'requestId' | 'idempotencyKey'>;

type Forward = (alias: string, request: ForwardRequest) => Promise<BrokerReply>;

/**
 * A handler that forwards calls to one of the broker's routes: those of an HTTP API whose path has `{alias}`, and direct
 * invocations with `{database, timeoutMs?, ...}`. Bodies and replies are not changed: the broker checks them.
 */
export function forwardTo(route: string): (event: unknown, context: Context) => Promise<unknown> {
  // One for all invocations of an instance, which share its kept-alive connections.
  const broker = openTransport();
  const forward: Forward = async (alias, request) => {
    const path = databasePath(route, alias);
    return refuseOthers(await broker.send({ method: 'POST', path, ...request }));
  };
  return async (event, context) => {
    const http = parseHttpEvent(event);
    if (http === undefined) return await answerInvocation(forward, event, context);
    return await answerHttp(forward, http, context);
  };
}

async function answerHttp(
  forward: Forward,
  event: HttpEvent,
  context: Context,
): Promise<APIGatewayProxyStructuredResultV2> {
  const requestId = eventRequestId(event, context);
  try {
    const alias = event.pathParameters?.alias;
    if (alias === undefined) throw new BrokerError('INVALID_REQUEST', 'the path must name a database');
    const idempotencyKey = event.headers[IDEMPOTENCY_HEADER];
    const request = { body: eventBody(event), timeoutMs: timeoutOf(context), requestId, idempotencyKey };
    return toHttpReply(await forward(alias, request), requestId);
  } catch (error) {
    if (error instanceof BrokerError) return failureReply(error, requestId);
    throw error;
  }
}

async function answerInvocation(forward: Forward, event: unknown, context: Context): Promise<unknown> {
  try {
    const { database, timeoutMs = Number.POSITIVE_INFINITY, ...body } = checkArguments(Invocation, event);
    const reply = await forward(database, {
      body: JSON.stringify(body, refuseRounded),
      timeoutMs: Math.min(timeoutOf(context), timeoutMs),
      requestId: context.awsRequestId,
    });
    const failure = reply.status === 200 ? undefined : readFailure(reply);
    if (failure !== undefined) throw failure;
    const answer = parseReply(reply);
    // Measured as printed again: JavaScript writes 1e20 with five times as many characters.
    checkReplySize(JSON.stringify(answer), MAX_ANSWER_BYTES);
    return answer;
  } catch (error) {
    // Lambda returns only an error's name and message.
    if (error instanceof BrokerError) error.name = error.code;
    throw error;
  }
}

/** Lambda has parsed the event, so an integer within a `$json` may be rounded already, which the broker cannot see. */
function refuseRounded(_key: string, value: unknown): unknown {
  if (!isRounded(value)) return value;
  throw new BrokerError(
    'INVALID_REQUEST',
    'the event holds an integer beyond 2^53, which Lambda rounds: send {"$bigint": "digits"}, and JSON as text',
  );
}

/** A failure in another form did not come from the broker. */
function refuseOthers(reply: BrokerReply): BrokerReply {
  if (reply.status === 200 || readFailure(reply) !== undefined) return reply;
  throw unusableReply(reply.status, reply.requestId);
}
