#!/usr/bin/env node
import { CallerKeys } from '../credentials/caller-keys.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { SettingsError } from '../settings/problems.ts';
import { settingsSchema } from '../settings/schema/settings-schema.ts';
import { buildBroker } from './build-broker.ts';
import { startEmf } from './observability/emf.ts';
import { LogOutput } from './observability/log-output.ts';
import { parseCommand, USAGE, UsageError } from './options.ts';
import { packageVersion } from './package-version.ts';
import { shutDown } from './shut-down.ts';

const USAGE_CODE = 2;

/** Runs the command. */
async function main(): Promise<void> {
  const command = parseCommand(process.argv.slice(2));
  switch (command.name) {
    case 'help':
      process.stdout.write(USAGE);
      return;
    case 'version':
      process.stdout.write(`${packageVersion()}\n`);
      return;
    case 'schema':
      process.stdout.write(`${JSON.stringify(settingsSchema(), undefined, 2)}\n`);
      return;
    case 'check':
      await checkSettings(command.file);
      return;
    case 'serve':
      await serve();
  }
}

/** Checks a settings file as a start with it would. */
async function checkSettings(file: string): Promise<void> {
  const { BROKER_SETTINGS, BROKER_SETTINGS_SECRET, ...environment } = process.env;
  const { settings } = await loadSettings({ ...environment, BROKER_SETTINGS_FILE: file });
  const counts = `${Object.keys(settings.databases).length} databases, ${Object.keys(settings.callers).length} callers`;
  process.stdout.write(`${file}: the broker would start with it (${counts})\n`);
}

async function serve(): Promise<void> {
  const { settings, host, port, logLevel, emfService, peers } = await loadSettings(process.env);
  const callers = new CallerKeys(settings);
  await callers.start();
  const stream = new LogOutput(process.stdout);
  process.on('exit', () => stream.flush());
  const broker = buildBroker(settings, callers, { level: logLevel, stream }, { endpoints: peers });
  // In a burst, connections arrive faster than they are accepted. One that finds the queue full is retried after 1 s.
  await broker.app.listen({ host, port, backlog: settings.server.maxConnections });
  broker.pools.start();
  broker.lifecycle.enter('serving');
  const stopEmf =
    emfService === undefined
      ? undefined
      : startEmf(broker.metrics.registry, emfService, (line) => stream.write(line));

  let isStopping = false;
  const stop = (signal: NodeJS.Signals) => {
    // A second signal ends the process at once.
    if (isStopping) process.exit(1);
    isStopping = true;
    broker.app.log.info({ signal }, 'shutting down');
    void shutDown(broker, settings).then(async () => {
      await stopEmf?.();
      broker.app.log.info('stopped');
      process.exit(0);
    }, fail);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function fail(error: unknown): void {
  const lines = error instanceof SettingsError ? error.problems : [messageOf(error)];
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exit(error instanceof UsageError ? USAGE_CODE : 1);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

main().catch(fail);
