import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Deadline } from '../../pool/deadline.ts';
import { IDEMPOTENCY_HEADER, REQUEST_ID_HEADER, TIMEOUT_HEADER } from '../../protocol/routes.ts';
import { answerLost, ownerGone } from './lost-owner.ts';
import type { PeerAddress } from './peer-address.ts';
import { headOfReply, type PeerHttp, type PeerRequest } from './peer-http.ts';
import { readWhole } from './read-whole.ts';

/** Says that a call comes from another broker, so that it goes no further. */
export const HOP_HEADER = 'x-broker-hop';

/** A verdict comes at most 200 ms after the deadline. The way here takes time too. */
const VERDICT_WAIT_MS = 1_000;

/** The caller's key among them: the task that holds a transaction checks for itself who calls. */
const SENT_HEADERS = ['authorization', 'content-type', 'accept', 'traceparent', IDEMPOTENCY_HEADER];
const RETURNED_HEADERS = ['content-type', 'content-length', 'retry-after', REQUEST_ID_HEADER];

export interface ForwardedCall {
  readonly request: FastifyRequest<{ Params: { id: string } }>;
  readonly reply: FastifyReply;
  readonly address: PeerAddress;
  readonly deadline: Deadline;
  /** Aborts when the caller hangs up. */
  readonly signal: AbortSignal;
  /** No reply that has begun pauses for longer. */
  readonly longestPauseMs: number;
}

/**
 * Sends a call on to the task that holds its transaction, and answers what that answers.
 *
 * @throws {BrokerError} TRANSACTION_ENDED: that task is gone. CONNECTION_LOST, DEADLINE_EXCEEDED: it may have got the
 *   call. Or the signal's reason.
 */
export async function forwardCall(http: PeerHttp, call: ForwardedCall): Promise<void> {
  const { request, reply, deadline, signal, longestPauseMs } = call;
  const { url: route = '' } = request.routeOptions;
  const body = await readWhole(request);
  const outgoing = await http.connect(call.address, messageOf(call, route, body)).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw ownerGone(route, cause);
  });
  const silenceMs = deadline.remainingMs + VERDICT_WAIT_MS;
  const answer = await headOfReply(outgoing, body, silenceMs).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw answerLost(route, body, cause);
  });
  outgoing.setTimeout(longestPauseMs + VERDICT_WAIT_MS);
  await pass(answer, reply);
}

function messageOf({ request, deadline, signal }: ForwardedCall, route: string, body: Buffer): PeerRequest {
  const headers: OutgoingHttpHeaders = {
    [HOP_HEADER]: '1',
    [REQUEST_ID_HEADER]: request.id,
    [TIMEOUT_HEADER]: Math.max(1, Math.floor(deadline.remainingMs)),
    'content-length': body.length,
  };
  for (const name of SENT_HEADERS) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  return { method: 'POST', path: route.replace(':id', request.params.id), headers, signal };
}

/** As it comes, and no faster than the caller takes it. If it breaks off, the caller is cut off. */
async function pass(answer: IncomingMessage, reply: FastifyReply): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...returned(answer) })) {
    if (value !== undefined) raw.setHeader(name, value);
  }
  raw.statusCode = answer.statusCode ?? 500;
  await pipeline(answer, raw).catch(() => undefined);
}

function returned({ headers }: IncomingMessage): OutgoingHttpHeaders {
  return Object.fromEntries(RETURNED_HEADERS.map((name) => [name, headers[name]]));
}
