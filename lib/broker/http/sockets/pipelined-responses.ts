import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Responses of each connection that are not finished. With pipelining one is being written, the others are queued. */
const owedBy = new WeakMap<Duplex, Set<ServerResponse>>();

/** On disconnect Node emits 'close' only for the response being written. This emits it for queued (pipelined) responses too. */
export function trackOwedReply({ socket }: IncomingMessage, response: ServerResponse): void {
  const owed = owedBy.get(socket) ?? startTracking(socket);
  owed.add(response);
  response.on('close', () => owed.delete(response));
}

function startTracking(socket: Duplex): Set<ServerResponse> {
  const owed = new Set<ServerResponse>();
  owedBy.set(socket, owed);
  socket.once('close', () => {
    for (const response of owed) if (response.socket === null) response.emit('close');
  });
  return owed;
}

/** Whether no request of this connection waits for the end of its reply. */
export function owesNothing(socket: Duplex): boolean {
  return (owedBy.get(socket)?.size ?? 0) === 0;
}

/** Whether bytes written now would pass for the answer to a request that is being served. */
export function hasResponseInProgress(socket: Duplex): boolean {
  return [...(owedBy.get(socket) ?? [])].some(({ req, headersSent }) => req.complete || headersSent);
}
