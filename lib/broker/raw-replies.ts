import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { BrokerError, type ErrorCode } from '../errors.ts';
import { toFailureBody } from '../protocol/failure.ts';
import { REQUEST_ID_HEADER } from '../protocol/routes.ts';
import { owesReply } from './owed-replies.ts';
import { newRequestId, requestIdOf } from './request-id.ts';

const CODE_BY_PARSER_CODE: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'The request was not complete in time'],
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'The headers are larger than the broker takes'],
};

/** Answers what never became a request: garbage, too long headers, a sender that is too slow. */
export function replyToClientError(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable || owesReply(socket)) {
    socket.destroy();
    return;
  }
  const [code, message] = CODE_BY_PARSER_CODE[error.code ?? ''] ?? [
    'INVALID_REQUEST',
    'This is not a valid HTTP request',
  ];
  socket.end(rawReply(new BrokerError(code, message), newRequestId()));
}

/** Answers CONNECT, for which Node leaves the connection to whoever listens. */
export function refuseTunnel(request: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  if (owesReply(socket)) {
    socket.destroy();
    return;
  }
  const failure = new BrokerError('METHOD_NOT_ALLOWED', 'The broker is no proxy');
  socket.end(rawReply(failure, requestIdOf(request)), () => socket.destroy());
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
