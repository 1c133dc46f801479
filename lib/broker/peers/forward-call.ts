import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Deadline } from '../../async/deadline.ts';
import {
  IDEMPOTENCY_HEADER,
  READING_SIGN,
  REQUEST_ID_HEADER,
  STALL_HEADER,
  TIMEOUT_HEADER,
} from '../../protocol/routes.ts';
import { PEER_VERDICT_WAIT_MS } from '../../protocol/verdict-times.ts';
import type { BodyReader } from '../http/body/request-body.ts';
import type { Call } from '../http/call.ts';
import { setReaderTerms, whenDrained } from '../http/slow-readers.ts';
import { answerLost, ownerGone } from './forward-errors.ts';
import type { PeerAddress } from './peer-address.ts';
import { headOfReply, type PeerHttp, type PeerRequest } from './peer-http.ts';

/** Says that a call comes from another broker, so that it goes no further. */
export const HOP_HEADER = 'x-broker-hop';

/** The caller's key among them: the task that holds a transaction checks for itself who calls. */
const SENT_HEADERS = ['authorization', 'content-type', 'accept', 'traceparent', IDEMPOTENCY_HEADER];
const RETURNED_HEADERS = ['content-type', 'content-length', 'retry-after', REQUEST_ID_HEADER, STALL_HEADER];

export interface ForwardedCall {
  readonly call: Call;
  readonly address: PeerAddress;
  readonly deadline: Deadline;
  /** Aborts when the caller hangs up. */
  readonly signal: AbortSignal;
  readonly bodies: BodyReader;
  /** No reply that has begun pauses for longer. */
  readonly longestPauseMs: number;
}

/**
 * Sends a call on to the task that holds its transaction, and answers what that answers.
 *
 * @throws {BrokerError} TRANSACTION_ENDED: that task is gone. CONNECTION_LOST, DEADLINE_EXCEEDED: it may have got the
 *   call. Or the signal's reason.
 */
export async function forwardCall(http: PeerHttp, forwarded: ForwardedCall): Promise<void> {
  const { call, address, deadline, signal, bodies, longestPauseMs } = forwarded;
  const body = await bodies.read(call);
  const outgoing = await http.connect(address, messageOf(forwarded, body)).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw ownerGone(call.routePath, cause);
  });
  const silenceMs = deadline.remainingMs + PEER_VERDICT_WAIT_MS;
  const answer = await headOfReply(outgoing, body, silenceMs).catch(async (cause: unknown) => {
    signal.throwIfAborted();
    throw await answerLost(call.routePath, body, cause);
  });
  await pass(answer, call, longestPauseMs, (silenceMs) => outgoing.setTimeout(silenceMs));
}

function messageOf({ call, deadline, signal }: ForwardedCall, body: Buffer): PeerRequest {
  const headers: OutgoingHttpHeaders = {
    [HOP_HEADER]: '1',
    [REQUEST_ID_HEADER]: call.id,
    [TIMEOUT_HEADER]: Math.max(1, Math.floor(deadline.remainingMs)),
    'content-length': body.length,
  };
  for (const name of SENT_HEADERS) {
    const value = call.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  return { method: 'POST', path: call.routePath?.replace(':id', call.param('id')) ?? '', headers, signal };
}

/** As it comes, and no faster than the caller takes it. If it breaks off, the caller is cut off. */
async function pass(
  answer: IncomingMessage,
  call: Call,
  longestPauseMs: number,
  allowSilence: (silenceMs: number) => void,
): Promise<void> {
  const { response } = call;
  Object.assign(call.replyHeaders, returned(answer));
  call.beginReply(answer.statusCode ?? 500);
  const stallMs = Number(answer.headers[STALL_HEADER] ?? longestPauseMs);
  // The other broker sees what this one takes, so it has to hear when the caller takes what is here already.
  const onTaken = () => {
    if (!answer.complete && answer.socket.writable) answer.socket.write(READING_SIGN);
  };
  const terms = { stallMs, heedsSigns: answer.headers[STALL_HEADER] !== undefined, onTaken };
  setReaderTerms(response, terms);
  try {
    allowSilence(longestPauseMs + PEER_VERDICT_WAIT_MS);
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      if (response.write(chunk)) continue;
      allowSilence(0);
      await whenDrained(response, terms);
      if (response.destroyed) return;
      allowSilence(longestPauseMs + PEER_VERDICT_WAIT_MS);
    }
    response.end();
  } catch {
    response.destroy();
  }
}

function returned({ headers }: IncomingMessage): OutgoingHttpHeaders {
  const returned = RETURNED_HEADERS.map((name) => [name, headers[name]] as const);
  return Object.fromEntries(returned.filter(([, value]) => value !== undefined));
}
