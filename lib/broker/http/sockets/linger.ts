import type { IncomingMessage } from 'node:http';

/** So long a sender may be silent that was answered before its request was whole. */
const LONGEST_SILENCE_MS = 1_000;

/**
 * Closes the connection of a request that is answered and not whole, as RFC 9112, section 9.6, has it: closed for
 * writing, while what the sender still sends is taken and thrown away. Closed at once, the connection would be reset, and
 * the sender lose the reply that it has not read. `server.requestTimeoutMs` bounds how long it may send.
 */
export function closeWhenWhole(request: IncomingMessage): void {
  const { socket } = request;
  socket.end();
  request.once('end', () => socket.destroy()).resume();
  socket.setTimeout(LONGEST_SILENCE_MS, () => socket.destroy());
}

/** Has the connection closed in that way when the reply was sent, whose `connection` is `close`. */
export function lingerAfterReply(request: IncomingMessage): void {
  // What Node calls after the last reply.
  request.socket.destroySoon = () => {
    if (request.complete) request.socket.end(() => request.socket.destroy());
    else closeWhenWhole(request);
  };
}
