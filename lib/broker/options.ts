import { parseArgs } from 'node:util';

export const USAGE = `serverless-conn-pool-broker [options]

Runs the broker. It is configured by its environment: BROKER_SETTINGS_FILE, BROKER_SETTINGS or
BROKER_SETTINGS_SECRET, HOST, PORT, LOG_LEVEL, BROKER_PEAK_TASKS, BROKER_PEERS, BROKER_EMF (see lib/broker/README.md).

  --check FILE   check a settings file, with the environment as it is, and start nothing: code 0 if the broker would
                 start with it, else 1 and a line for each problem
  --schema       print the JSON Schema of the settings, for editors
  --version
  --help

Codes: 0 done, 1 the settings cannot be used or the broker failed, 2 an option is wrong.
`;

/** A wrong command line. The message says what was found and what is allowed. */
export class UsageError extends Error {}

const OPTIONS = {
  check: { type: 'string' },
  schema: { type: 'boolean' },
  version: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** A parsed command line. Without options it is `serve`. */
export type BrokerCommand =
  | { readonly name: 'serve' | 'schema' | 'version' | 'help' }
  | { readonly name: 'check'; readonly file: string };

/** @throws {UsageError} */
export function parseCommand(args: readonly string[]): BrokerCommand {
  const { check, schema, version, help } = optionsIn(args);
  const commands: BrokerCommand[] = [
    ...(help === true ? [{ name: 'help' } as const] : []),
    ...(version === true ? [{ name: 'version' } as const] : []),
    ...(schema === true ? [{ name: 'schema' } as const] : []),
    ...(check === undefined ? [] : [{ name: 'check', file: check } as const]),
  ];
  if (check === '') throw new UsageError('--check: found nothing, allowed the path of a settings file');
  if (commands.length > 1)
    throw new UsageError(`found ${commands.length} options, allowed one of ${allowed()}`);
  return commands[0] ?? { name: 'serve' };
}

function optionsIn(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (cause) {
    // The first sentence of Node's message names the problem; the rest is general advice.
    const [problem = ''] = (cause instanceof Error ? cause.message : String(cause)).split(/\. |\n/);
    throw new UsageError(`${problem}, allowed ${allowed()}`, { cause });
  }
}

function allowed(): string {
  return '--check FILE, --schema, --version, --help';
}
