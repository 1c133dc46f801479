import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ReaderWatch, type ReaderWatchOptions } from './sockets/reader-monitor.ts';

/** How long a caller may take nothing of its reply, and how it may show that it takes something. */
export type ReaderTerms = Omit<ReaderWatchOptions, 'onStall'>;

/** Of replies that have terms of their own. */
const ownTerms = new WeakMap<ServerResponse, ReaderTerms>();
const cutOff = new WeakSet<ServerResponse>();

/** Cuts off a caller that takes nothing of its whole reply: what it does not take stays in memory. */
export function cutOffStalledReader(response: ServerResponse, usualTerms: ReaderTerms): void {
  // The whole reply is with the connection now. Until then a silent connection is one whose statement runs.
  response.on('prefinish', () => {
    const { socket } = response;
    if (socket === null || socket.writableLength === 0) return;
    const watch = watchReader(response, socket, ownTerms.get(response) ?? usualTerms);
    // Before Node's own listener, which sets how long an idle connection is kept.
    response.prependOnceListener('finish', () => watch.stop());
    response.once('close', () => watch.stop());
  });
}

/** In place of the usual ones. */
export function setReaderTerms(response: ServerResponse, terms: ReaderTerms): void {
  ownTerms.set(response, terms);
}

/** Resolves when the caller has taken what was written so far, or is gone. By the terms of this reply it is cut off. */
export async function whenDrained(response: ServerResponse, terms: ReaderTerms): Promise<void> {
  let watch: ReaderWatch | undefined;
  const start = (socket: Socket) => {
    watch = watchReader(response, socket, terms);
  };
  // Without one, replies before it on its connection are not taken yet. They have a watch of their own.
  if (response.socket === null) response.once('socket', start);
  else start(response.socket);
  await new Promise<void>((resolve) => {
    const end = () => {
      response.off('drain', end).off('close', end);
      resolve();
    };
    response.on('drain', end).on('close', end);
  });
  response.off('socket', start);
  watch?.stop();
}

/** Whether its caller was cut off, rather than hung up. */
export function wasCutOff(response: ServerResponse): boolean {
  return cutOff.has(response);
}

function watchReader(response: ServerResponse, socket: Socket, terms: ReaderTerms): ReaderWatch {
  return new ReaderWatch(socket, { ...terms, onStall: () => cutOff.add(response) });
}
