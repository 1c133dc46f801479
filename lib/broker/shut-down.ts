import { Server as NetServer } from 'node:net';
import { setTimeout as delay, setImmediate as nextCheck } from 'node:timers/promises';
import { Deadline } from '../pool/deadline.ts';
import type { ServerSettings } from '../settings/settings.ts';
import type { Broker } from './build-broker.ts';

/** What is left for the last replies when the pools have been given up. */
const LAST_REPLIES_MS = 2_000;
/** Connections that were accepted at the last moment have so long to send their request, and hear DRAINING. */
const LINGER_MS = 200;

/** Lets callers find another broker, then refuses new work, then finishes what was accepted. */
export async function shutDown({ app, pools, lifecycle }: Broker, settings: ServerSettings): Promise<void> {
  const end = Deadline.after(settings.drainTimeoutMs);
  lifecycle.enter('leaving');
  await delay(settings.drainDelayMs);
  lifecycle.enter('draining');
  await pools.drain(Deadline.after(end.remainingMs - LAST_REPLIES_MS));
  // A reply that its caller does not take must not hold up the end.
  setTimeout(() => app.server.closeAllConnections(), end.remainingMs).unref();
  await stopListening(app.server);
  await delay(Math.min(LINGER_MS, end.remainingMs));
  await app.close();
}

/** Stops taking connections, and keeps those that it has: an HTTP server's own `close` cuts off the silent ones. */
async function stopListening(server: NetServer): Promise<void> {
  // Right after the poll for new connections, so that as few as possible are in the queue that goes with it.
  await nextCheck();
  NetServer.prototype.close.call(server);
}
