import { parseArgs } from 'node:util';
import * as z from 'zod';
import { CallerName, CallerSettings } from '../settings/settings.ts';

export const USAGE = `serverless-conn-pool-key [options]

Makes a caller's key. The key is written to standard output, and to standard error what the broker's settings need: its
hash, by which nobody finds the key.

  --name NAME          the caller's name in the settings       (my-function)
  --databases A,B      the aliases that it may use, or "*"     (default)
  --access ACCESS      read, write or admin                    (write)
  --stdin              hash the key on standard input, and make none: the settings go to standard output
  --help
`;

/** A wrong command line. The message says what was found and what is allowed. */
export class UsageError extends Error {}

const Options = z.object({
  name: CallerName.default('my-function'),
  databases: z
    .string()
    .transform((list) => list.split(','))
    .prefault('default')
    .pipe(CallerSettings.shape.databases),
  access: CallerSettings.shape.access.default('write'),
  stdin: z.boolean().default(false),
  help: z.boolean().default(false),
});
export type Options = z.infer<typeof Options>;

/** @throws {UsageError} */
export function parseOptions(args: readonly string[]): Options {
  const values = readOptions(args);
  const parsed = Options.safeParse(values);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    return `--${name}: found ${JSON.stringify(Reflect.get(values, name))}, allowed ${message}`;
  });
  throw new UsageError(problems.join('\n'));
}

function readOptions(args: readonly string[]): object {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { name: text, databases: text, access: text, stdin: flag, help: flag };
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (positionals.length === 0) return values;
  } catch (error) {
    // The first sentence of Node's message names the problem; the rest is general advice.
    const [problem = ''] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw new UsageError(
      `${problem}, allowed ${Object.keys(options)
        .map((name) => `--${name}`)
        .join(', ')}`,
      {
        cause: error,
      },
    );
  }
  throw new UsageError(
    'an argument without an option: found one, allowed none. A key comes by --stdin: whoever lists the processes sees arguments',
  );
}
