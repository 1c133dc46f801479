import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { LookupFunction, Socket } from 'node:net';
import { afterNextPoll } from '../../async/after-next-poll.ts';
import { BrokerError } from '../../errors.ts';
import { CLIENT_VERDICT_WAIT_MS } from '../../protocol/verdict-times.ts';
import type { CallBudget } from './call-budget.ts';
import { httpModuleFor } from './http-module.ts';
import type { KeepAliveSockets } from './keep-alive-agent.ts';

const CONNECT_TIMEOUT_MS = 2_000;
const MAX_REPLY_BYTES = 64 * 1024 * 1024;

export interface HttpMessage {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** The content type of a reply that is returned as a stream. */
  readonly streamType: string | undefined;
}

export interface HttpRoute {
  readonly sockets: KeepAliveSockets;
  readonly lookup: LookupFunction;
  /** Addresses whose kept-alive connections must not be used. */
  readonly avoided: ReadonlySet<string>;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Empty if the reply is a stream. */
  readonly body: string;
  /** Set if a stream was requested and returned. Its receiver must read or destroy it. */
  readonly stream: IncomingMessage | undefined;
  /** The address it came from. */
  readonly address: string;
}

/** No byte of the request was sent. */
export class RequestNotSentError extends Error {
  readonly code: string;
  /** A kept-alive connection was dead or too old: the next attempt uses another one, or opens one. */
  readonly hadDeadSocket: boolean;

  constructor(code: string, options: { hadDeadSocket: boolean; cause?: unknown }) {
    super(`Not sent: ${code}`, { cause: options.cause });
    this.code = code;
    this.hadDeadSocket = options.hadDeadSocket;
  }
}

/**
 * Sends one request over one connection and reads its reply.
 *
 * The request is written only once its connection is open; a failure before that is a {@link RequestNotSentError}. After
 * that the outcome of a failure is unknown.
 */
export async function exchange(
  message: HttpMessage,
  route: HttpRoute,
  budget: CallBudget,
): Promise<HttpReply> {
  const { method, url, headers, body, streamType } = message;
  const { request: open } = httpModuleFor(url.protocol);
  const request = open(url, { method, headers, agent: route.sockets.agent, lookup: route.lookup });
  try {
    const socket = await budget.race(connected(request, route), {
      afterMs: Math.min(CONNECT_TIMEOUT_MS, budget.remainingMs),
      error: () => new RequestNotSentError('ETIMEDOUT', { hadDeadSocket: false }),
    });
    // Read now: a closed socket has none.
    const address = socket.remoteAddress ?? '';
    const reply = received(request, streamType);
    request.end(body);
    const read = await budget.race(reply, {
      afterMs: budget.remainingMs + CLIENT_VERDICT_WAIT_MS,
      error: () => budget.exceeded('unknown'),
    });
    route.sockets.noteUse(socket);
    return { ...read, address };
  } catch (error) {
    // Hang up, so that the broker stops the statement.
    request.destroy();
    throw error;
  }
}

async function connected(request: ClientRequest, { sockets, avoided }: HttpRoute): Promise<Socket> {
  return await new Promise((resolve, reject) => {
    const fail = (code: string, cause?: unknown) =>
      reject(new RequestNotSentError(code, { hadDeadSocket: request.reusedSocket, cause }));
    request.on('error', (cause: NodeJS.ErrnoException) => fail(cause.code ?? cause.name, cause));
    request.once('socket', (socket) => {
      if (!request.reusedSocket) {
        socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => resolve(socket));
        return;
      }
      afterNextPoll(() => (sockets.isUsable(socket, avoided) ? resolve(socket) : fail('ECONNRESET')));
    });
  });
}

async function received(
  request: ClientRequest,
  streamType: string | undefined,
): Promise<Omit<HttpReply, 'address'>> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on('error', (cause: NodeJS.ErrnoException) => reject(lostError(cause)));
    request.once('response', resolve);
  });
  const { statusCode: status = 0, headers } = response;
  const isStream = streamType !== undefined && headers['content-type']?.startsWith(streamType);
  if (isStream) return { status, headers, body: '', stream: response };
  return { status, headers, body: await readBody(response), stream: undefined };
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_REPLY_BYTES) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw lostError(cause);
  }
  if (bytes > MAX_REPLY_BYTES) {
    throw new BrokerError('RESULT_TOO_LARGE', `The reply is larger than ${MAX_REPLY_BYTES} bytes`, {
      outcome: 'unknown',
      limit: { name: 'replyBytes', max: MAX_REPLY_BYTES, actual: bytes },
    });
  }
  return Buffer.concat(chunks).toString();
}

function lostError(cause: unknown): BrokerError {
  const message = 'The connection to the broker was lost before its reply came';
  return new BrokerError('BROKER_UNREACHABLE', message, { outcome: 'unknown', cause });
}
