import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

export interface RunOptions {
  /** Added to our own environment. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/**
 * Runs a program to its end and returns what it printed.
 *
 * @throws {Error} the program is missing (`code` of the cause is ENOENT) or failed; the message has its own last words.
 */
export async function runProgram(
  program: string,
  programArguments: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  try {
    const { stdout } = await execFileAsync(program, programArguments, {
      cwd: options.cwd,
      env: { ...process.env, LC_ALL: 'C', ...options.env },
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    throw new Error(`${program} failed: ${lastWords(error)}`, { cause: error });
  }
}

function lastWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const printed = 'stderr' in error ? String(error.stderr).trim() : '';
  return printed === '' ? error.message : printed.split('\n').slice(-5).join('\n');
}
