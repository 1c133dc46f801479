#!/usr/bin/env node
import { setTimeout as delay } from 'node:timers/promises';
import { Deadline } from '../pool/deadline.ts';
import { CallerKeys } from '../settings/caller-keys.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { SettingsError } from '../settings/problems.ts';
import { type Broker, buildBroker } from './build-broker.ts';

/** What is left for the last replies when the pools have been given up. */
const LAST_REPLIES_MS = 2_000;

async function main(): Promise<void> {
  const { settings, host, port, logLevel } = await loadSettings(process.env);
  const callers = new CallerKeys(settings);
  await callers.start();
  const broker = buildBroker(settings, (keySha256) => callers.callerByKeyHash(keySha256), {
    level: logLevel,
  });
  await broker.app.listen({ host, port });
  broker.pools.start();
  broker.lifecycle.enter('serving');

  let isStopping = false;
  const stop = (signal: NodeJS.Signals) => {
    // Whoever asks twice does not want to wait.
    if (isStopping) process.exit(1);
    isStopping = true;
    broker.app.log.info({ signal }, 'shutting down');
    void shutDown(broker, settings.server).then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** Lets callers find another broker, then refuses new work, then finishes what was accepted. */
async function shutDown(
  { app, pools, lifecycle }: Broker,
  limits: { drainDelayMs: number; drainTimeoutMs: number },
) {
  const end = Deadline.after(limits.drainTimeoutMs);
  lifecycle.enter('leaving');
  await delay(limits.drainDelayMs);
  lifecycle.enter('draining');
  await pools.drain(Deadline.after(Math.max(0, end.remainingMs - LAST_REPLIES_MS)));
  setTimeout(() => app.server.closeAllConnections(), end.remainingMs).unref();
  await app.close();
  app.log.info('stopped');
}

main().catch((error: unknown) => {
  const lines =
    error instanceof SettingsError
      ? error.problems
      : [error instanceof Error ? error.message : String(error)];
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exit(1);
});
