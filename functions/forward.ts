import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { type BrokerReply, parseReply, readFailure, unusableReply } from '../lib/client/broker-reply.ts';
import { checkArguments, TimeoutMs } from '../lib/client/check-arguments.ts';
import { openTransport } from '../lib/client/open-transport.ts';
import { BrokerError } from '../lib/errors.ts';
import { isRounded } from '../lib/protocol/rounded.ts';
import { databasePath } from '../lib/protocol/routes.ts';
import {
  failureReply,
  type HttpEvent,
  parseHttpEvent,
  readBody,
  requestIdOf,
  timeoutOf,
  toHttpReply,
} from './http-event.ts';

const Invocation = z.looseObject({ database: z.string(), timeoutMs: z.optional(TimeoutMs) });

/** Asks the broker in a function's name. */
type Ask = (alias: string, body: string, timeoutMs: number, requestId: string) => Promise<BrokerReply>;

/**
 * A handler that passes calls on to one of the broker's routes: those of an HTTP API whose path has `{alias}`, and
 * direct invocations with `{database, timeoutMs?, ...}`. Bodies and replies pass through as they are: both are the
 * broker's to judge.
 */
export function forwardTo(route: string): (event: unknown, context: Context) => Promise<unknown> {
  // One for all invocations of an instance, as are the connections that it keeps.
  const broker = openTransport();
  const ask: Ask = async (alias, body, timeoutMs, requestId) => {
    const path = databasePath(route, alias);
    return refuseOthers(await broker.send({ method: 'POST', path, body, timeoutMs, requestId }));
  };
  return async (event, context) => {
    const http = parseHttpEvent(event);
    if (http === undefined) return await answerInvocation(ask, event, context);
    return await answerHttp(ask, http, context);
  };
}

async function answerHttp(
  ask: Ask,
  event: HttpEvent,
  context: Context,
): Promise<APIGatewayProxyStructuredResultV2> {
  const requestId = requestIdOf(event, context);
  try {
    const alias = event.pathParameters?.alias;
    if (alias === undefined) throw new BrokerError('INVALID_REQUEST', 'the path must name a database');
    return toHttpReply(await ask(alias, readBody(event), timeoutOf(context), requestId), requestId);
  } catch (error) {
    if (error instanceof BrokerError) return failureReply(error, requestId);
    throw error;
  }
}

async function answerInvocation(ask: Ask, event: unknown, context: Context): Promise<unknown> {
  try {
    const { database, timeoutMs: ownMs, ...body } = checkArguments(Invocation, event);
    const timeoutMs = Math.min(timeoutOf(context), ownMs ?? Number.POSITIVE_INFINITY);
    const reply = await ask(database, JSON.stringify(body, refuseRounded), timeoutMs, context.awsRequestId);
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

/** A failure in anybody else's form did not come from the broker. */
function refuseOthers(reply: BrokerReply): BrokerReply {
  if (reply.status === 200 || readFailure(reply) !== undefined) return reply;
  throw unusableReply(reply.status, reply.requestId);
}
