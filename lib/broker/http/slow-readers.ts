import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ReaderMonitor, type ReaderMonitorOptions } from './sockets/reader-monitor.ts';

/** How long a caller may read nothing of its reply, and how it may show that it reads. */
export type ReaderLimits = Omit<ReaderMonitorOptions, 'onStall'>;

/** Limits of replies that have other ones than the default. */
const limitsByResponse = new WeakMap<ServerResponse, ReaderLimits>();
const cutOff = new WeakSet<ServerResponse>();

/** Disconnects a caller that does not read its complete reply, which would stay in memory. */
export function cutOffStalledReader(response: ServerResponse, defaults: ReaderLimits): void {
  // From here on the connection holds the complete reply. Before that, silence means that a statement runs.
  response.on('prefinish', () => {
    const { socket } = response;
    if (socket === null || socket.writableLength === 0) return;
    const monitor = monitorReader(response, socket, limitsByResponse.get(response) ?? defaults);
    // Before Node's own listener, which sets how long an idle connection is kept.
    response.prependOnceListener('finish', () => monitor.stop());
    response.once('close', () => monitor.stop());
  });
}

/** Replaces the default limits for this reply. */
export function setReaderLimits(response: ServerResponse, limits: ReaderLimits): void {
  limitsByResponse.set(response, limits);
}

/** Resolves when the caller has read what was written so far, hung up, or was disconnected by `limits`. */
export async function whenDrained(response: ServerResponse, limits: ReaderLimits): Promise<void> {
  let monitor: ReaderMonitor | undefined;
  const start = (socket: Socket) => {
    monitor = monitorReader(response, socket, limits);
  };
  // Without a socket, earlier (pipelined) replies on its connection are not finished. They have their own monitor.
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
  monitor?.stop();
}

/** Whether its caller was disconnected, and did not hang up. */
export function wasCutOff(response: ServerResponse): boolean {
  return cutOff.has(response);
}

function monitorReader(response: ServerResponse, socket: Socket, limits: ReaderLimits): ReaderMonitor {
  return new ReaderMonitor(socket, { ...limits, onStall: () => cutOff.add(response) });
}
