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
import { setReaderLimits, whenDrained } from '../http/slow-readers.ts';
import { ownerGone, replyLost } from './forward-errors.ts';
import type { PeerAddress } from './peer-address.ts';
import { headOfReply, type PeerHttp, type PeerRequest } from './peer-http.ts';

/** Marks a forwarded call, which is not forwarded again. */
export const HOP_HEADER = 'x-broker-hop';

/** They include the caller's key: the broker that holds the transaction authenticates the caller itself. */
const SENT_HEADERS = ['authorization', 'content-type', 'accept', 'traceparent', IDEMPOTENCY_HEADER];
const RETURNED_HEADERS = ['content-type', 'content-length', 'retry-after', REQUEST_ID_HEADER, STALL_HEADER];

export interface ForwardedCall {
  readonly call: Call;
  readonly address: PeerAddress;
  readonly deadline: Deadline;
  /** Aborts when the caller hangs up. */
  readonly signal: AbortSignal;
  readonly bodies: BodyReader;
  /** Longest pause of a reply that has begun. */
  readonly longestPauseMs: number;
}

/**
 * Forwards a call to the broker that holds its transaction, and relays the reply.
 *
 * @throws {BrokerError} TRANSACTION_ENDED: that broker is gone. CONNECTION_LOST, DEADLINE_EXCEEDED: it may have
 *   received the call. Or the signal's reason.
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
    throw await replyLost(call.routePath, body, cause);
  });
  await relayReply(answer, call, longestPauseMs, (silenceMs) => outgoing.setTimeout(silenceMs));
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

/** Relays a reply as it arrives, no faster than the caller reads it. If it breaks off, the caller is disconnected. */
async function relayReply(
  answer: IncomingMessage,
  call: Call,
  longestPauseMs: number,
  setSilenceTimeout: (silenceMs: number) => void,
): Promise<void> {
  const { response } = call;
  Object.assign(call.replyHeaders, returned(answer));
  call.beginReply(answer.statusCode ?? 500);
  const stallMs = Number(answer.headers[STALL_HEADER] ?? longestPauseMs);
  // The other broker sees only that this one has stopped reading: tell it that the caller still reads.
  const onProgress = () => {
    if (!answer.complete && answer.socket.writable) answer.socket.write(READING_SIGN);
  };
  const limits = { stallMs, countsReadingSigns: answer.headers[STALL_HEADER] !== undefined, onProgress };
  setReaderLimits(response, limits);
  try {
    setSilenceTimeout(longestPauseMs + PEER_VERDICT_WAIT_MS);
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      if (response.write(chunk)) continue;
      setSilenceTimeout(0);
      await whenDrained(response, limits);
      if (response.destroyed) return;
      setSilenceTimeout(longestPauseMs + PEER_VERDICT_WAIT_MS);
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
