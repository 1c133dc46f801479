import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { BrokerError, type ErrorCode } from '../../../errors.ts';
import { toFailureBody } from '../../../protocol/failure.ts';
import { REQUEST_ID_HEADER } from '../../../protocol/routes.ts';
import { newRequestId, requestIdOf } from '../call.ts';
import { hasResponseInProgress } from './pipelined-responses.ts';

const CODE_BY_PARSER_CODE: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'The request was not complete in time'],
  ERR_TLS_HANDSHAKE_TIMEOUT: ['REQUEST_TIMEOUT', 'The TLS handshake was not complete in time'],
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'The headers are larger than the broker takes'],
};

/** Grace before destroying the socket: closing while the client still sends causes a TCP reset that can discard the response. */
const LINGER_MS = 1_000;

/** Called for each reply of this file: such a request reaches no route. */
export type OnRawReply = (failure: BrokerError, requestId: string, socket: Duplex) => void;

/** Answers what Node could not parse: garbage, headers that are too long, a sender that is too slow. */
export function replyToClientError(
  error: Error & { code?: string },
  socket: Duplex,
  onReply: OnRawReply,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable || hasResponseInProgress(socket)) {
    socket.destroy();
    return;
  }
  const [code, message] = CODE_BY_PARSER_CODE[error.code ?? ''] ?? [
    'INVALID_REQUEST',
    'This is not a valid HTTP request',
  ];
  const failure = new BrokerError(code, message);
  const requestId = newRequestId();
  onReply(failure, requestId, socket);
  // Nothing can be sent before the handshake is finished.
  if (socket instanceof TLSSocket && socket.getPeerFinished() === undefined) {
    socket.destroy();
    return;
  }
  socket.end(rawReply(failure, requestId));
  // Bytes that still arrive must not be parsed as a request.
  socket.pause();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

/** Answers CONNECT, for which Node hands the raw connection to its listener. */
export function refuseTunnel(request: IncomingMessage, socket: Duplex, onReply: OnRawReply): void {
  socket.on('error', () => socket.destroy());
  if (hasResponseInProgress(socket)) {
    socket.destroy();
    return;
  }
  const failure = new BrokerError('METHOD_NOT_ALLOWED', 'The broker is no proxy');
  const requestId = requestIdOf(request);
  onReply(failure, requestId, socket);
  socket.end(rawReply(failure, requestId), () => socket.destroy());
}

function rawReply(failure: BrokerError, requestId: string): string {
  const body = JSON.stringify(toFailureBody(failure, requestId));
  const head = [
    `HTTP/1.1 ${failure.httpStatus} ${STATUS_CODES[failure.httpStatus]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `${REQUEST_ID_HEADER}: ${requestId}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
