import { Server as NetServer } from 'node:net';
import { setTimeout as delay, setImmediate as nextCheck } from 'node:timers/promises';
import { Deadline } from '../async/deadline.ts';
import type { Settings } from '../settings/settings.ts';
import type { Broker } from './build-broker.ts';

/** Open transactions and streams are ended when this much time is left. */
const UNFINISHED_END_MS = 2_000;
/** Time left for the last replies when the pools' drain ends, unless a query may take longer. */
const LAST_REPLIES_MS = 1_000;
/** Connections accepted at the last moment may send their request for this long, and are answered DRAINING. */
const LINGER_MS = 200;

/** Lets callers find another broker, then refuses new work, then finishes accepted work. Settles within its time limit. */
export async function shutDown(broker: Broker, settings: Settings): Promise<void> {
  const end = Deadline.after(settings.server.drainTimeoutMs);
  await Promise.race([finish(broker, settings, end), delay(settings.server.drainTimeoutMs)]);
}

async function finish(
  { app, pools, leases, streams, lifecycle }: Broker,
  settings: Settings,
  end: Deadline,
): Promise<void> {
  lifecycle.enter('leaving');
  await delay(settings.server.drainDelayMs);
  lifecycle.enter('draining');
  app.bodies.refuseUnfinished(({ route }) => route?.servesOpenTransactions !== true);
  const longestQueryMs = Math.max(
    ...Object.values(settings.databases).map(({ limits }) => limits.queryTimeoutMs),
  );
  const endUnfinished = setTimeout(() => {
    leases.endAll('draining');
    streams.endAll();
  }, end.plus(-UNFINISHED_END_MS).remainingMs);
  await pools.drain(Deadline.after(Math.max(end.remainingMs - LAST_REPLIES_MS, longestQueryMs)));
  clearTimeout(endUnfinished);
  await stopListening(app.server);
  await delay(LINGER_MS);
  await app.close();
}

/** Stops accepting connections, but keeps the open ones: an HTTP server's own `close` disconnects the silent ones. */
async function stopListening(server: NetServer): Promise<void> {
  // Right after the poll for new connections, when as few as possible are in the accept queue, which is lost.
  await nextCheck();
  NetServer.prototype.close.call(server);
}
