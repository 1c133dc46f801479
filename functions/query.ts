import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { type BrokerReply, parseReply, readFailure, unusableReply } from '../lib/client/broker-reply.ts';
import { checkArguments, TimeoutMs } from '../lib/client/check-arguments.ts';
import { openTransport } from '../lib/client/open-transport.ts';
import { BrokerError } from '../lib/errors.ts';
import { isRounded } from '../lib/protocol/rounded.ts';
import { databasePath, QUERY_ROUTE } from '../lib/protocol/routes.ts';
import {
  failureReply,
  type HttpEvent,
  parseHttpEvent,
  readBody,
  requestIdOf,
  timeoutOf,
  toHttpReply,
} from './http-event.ts';

// Module scope: one transport, and so its kept connections, for all invocations of an instance.
const broker = openTransport();

const Invocation = z.looseObject({ database: z.string(), timeoutMs: z.optional(TimeoutMs) });

/**
 * One query: `POST /databases/{alias}/query` of an HTTP API, or a direct invocation with `{database, sql, params?,
 * timeoutMs?, maxRows?}`. Statement and reply pass through as they are: both are the broker's to judge.
 */
export async function handler(event: unknown, context: Context): Promise<unknown> {
  const http = parseHttpEvent(event);
  return http === undefined ? await answerInvocation(event, context) : await answerHttp(http, context);
}

async function answerHttp(event: HttpEvent, context: Context): Promise<APIGatewayProxyStructuredResultV2> {
  const requestId = requestIdOf(event, context);
  try {
    const alias = event.pathParameters?.alias;
    if (alias === undefined) throw new BrokerError('INVALID_REQUEST', 'the path must name a database');
    const reply = await query(alias, readBody(event), timeoutOf(context), requestId);
    return toHttpReply(reply, requestId);
  } catch (error) {
    if (error instanceof BrokerError) return failureReply(error, requestId);
    throw error;
  }
}

async function answerInvocation(event: unknown, context: Context): Promise<unknown> {
  try {
    const { database, ...statement } = checkArguments(Invocation, event);
    const timeoutMs = Math.min(timeoutOf(context), statement.timeoutMs ?? Number.POSITIVE_INFINITY);
    const body = JSON.stringify(statement, refuseRounded);
    const reply = await query(database, body, timeoutMs, context.awsRequestId);
    const failure = reply.status === 200 ? undefined : readFailure(reply);
    if (failure !== undefined) throw failure;
    return parseReply(reply);
  } catch (error) {
    // Lambda tells the invoker an error's name and message, and nothing else of it.
    if (error instanceof BrokerError) error.name = error.code;
    throw error;
  }
}

/** Lambda has parsed the event: within a `$json` the broker could no longer tell. */
function refuseRounded(_key: string, value: unknown): unknown {
  if (!isRounded(value)) return value;
  throw new BrokerError(
    'INVALID_REQUEST',
    'the event holds an integer beyond 2^53, which Lambda rounds: send {"$bigint": "digits"}, and JSON as text',
  );
}

/** What the broker answers. A failure in anybody else's form did not come from it. */
async function query(
  alias: string,
  body: string,
  timeoutMs: number,
  requestId: string,
): Promise<BrokerReply> {
  const reply = await broker.send({
    method: 'POST',
    path: databasePath(QUERY_ROUTE, alias),
    body,
    timeoutMs,
    requestId,
  });
  if (reply.status !== 200 && readFailure(reply) === undefined) {
    throw unusableReply(reply.status, reply.requestId);
  }
  return reply;
}
