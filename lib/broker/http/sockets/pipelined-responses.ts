import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Responses of each connection that are not finished. With pipelining one is being written, the others are queued. */
const unfinishedBySocket = new WeakMap<Duplex, Set<ServerResponse>>();

/** On disconnect Node emits 'close' only for the response being written. This emits it for queued (pipelined) responses too. */
export function trackResponse({ socket }: IncomingMessage, response: ServerResponse): void {
  const unfinished = unfinishedBySocket.get(socket) ?? startTracking(socket);
  unfinished.add(response);
  response.on('close', () => unfinished.delete(response));
}

function startTracking(socket: Duplex): Set<ServerResponse> {
  const unfinished = new Set<ServerResponse>();
  unfinishedBySocket.set(socket, unfinished);
  socket.once('close', () => {
    for (const response of unfinished) if (response.socket === null) response.emit('close');
  });
  return unfinished;
}

/** Whether every reply of this connection is finished. */
export function isIdle(socket: Duplex): boolean {
  return (unfinishedBySocket.get(socket)?.size ?? 0) === 0;
}

/** Whether the client would take bytes written now for the reply to a request that is being served. */
export function hasResponseInProgress(socket: Duplex): boolean {
  return [...(unfinishedBySocket.get(socket) ?? [])].some(
    ({ req, headersSent }) => req.complete || headersSent,
  );
}
