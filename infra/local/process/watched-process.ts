import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** Lines of a child's output that are kept to explain its death. */
const KEPT_LINES = 25;

/**
 * Waits for the end of its standard input, a pipe that only we hold open, so it ends whenever and however
 * we die. Then it kills the process group "$1" and removes the folders that follow.
 */
const WATCHDOG = 'read -r _; kill -s KILL -- "-$1"; shift; rm -rf -- "$@"';

export interface WatchedProcessOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Folders to remove if this process dies without having stopped the child. */
  readonly ownedFolders?: readonly string[];
  /** Told each line that the child prints. */
  readonly onLine?: (line: string) => void;
}

/**
 * A child process that does not outlive us, not even when we are killed: a second, tiny child watches us.
 * It has its own process group, so Ctrl-C in the terminal reaches it only through us, in our order.
 */
export class WatchedProcess {
  readonly pid: number;
  /** Resolves with a sentence part such as `exited with code 1` when the whole process group is gone. */
  readonly ended: Promise<string>;
  #running = true;
  readonly #lines: string[] = [];

  /** @param child Just spawned, detached, with pipes for its output. */
  constructor(child: ChildProcess, pid: number, options: WatchedProcessOptions) {
    this.pid = pid;
    this.#keepLines(child.stdout, options.onLine);
    this.#keepLines(child.stderr, options.onLine);
    const watchdog = spawn('sh', ['-c', WATCHDOG, 'watchdog', String(pid), ...(options.ownedFolders ?? [])], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    watchdog.unref();
    this.ended = new Promise((resolve) => {
      child.once('exit', () => {
        this.#running = false;
        watchdog.kill('SIGKILL');
        signalGroup(pid, 'SIGKILL');
      });
      child.once('close', (code, signal) => {
        resolve(signal === null ? `exited with code ${code}` : `was ended by ${signal}`);
      });
    });
  }

  get running(): boolean {
    return this.#running;
  }

  /** The last lines that the child printed. */
  get lastLines(): string {
    return this.#lines.join('\n');
  }

  /** Sends SIGTERM to the child alone, and SIGKILL to its whole group if it is still there after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    if (!this.#running) return;
    process.kill(this.pid, 'SIGTERM');
    const graceOver = setTimeout(() => signalGroup(this.pid, 'SIGKILL'), graceMs);
    await this.ended;
    clearTimeout(graceOver);
  }

  async kill(): Promise<void> {
    if (this.#running) signalGroup(this.pid, 'SIGKILL');
    await this.ended;
  }

  #keepLines(output: Readable | null, onLine: ((line: string) => void) | undefined): void {
    if (output === null) return;
    createInterface(output).on('line', (line) => {
      this.#lines.push(line);
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
      onLine?.(line);
    });
  }
}

/** @throws if the program cannot be started at all. */
export async function startWatched(
  program: string,
  programArguments: readonly string[],
  options: WatchedProcessOptions = {},
): Promise<WatchedProcess> {
  const child = spawn(program, programArguments, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  if (child.pid !== undefined) return new WatchedProcess(child, child.pid, options);
  const [cause] = await once(child, 'error');
  throw new Error(`${program} cannot be started`, { cause });
}

export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Anything else than "no such process" is somebody else's living process.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already: that is what the signal was for.
  }
}
