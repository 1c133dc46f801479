import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROJECT = join(import.meta.dirname, '../..');

/** The broker as operators run it: a process of its own that is told everything by its environment. */
export interface BrokerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it wrote so far, to either stream. */
  output(): string;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
  stop(): Promise<void>;
}

/** Runs the broker's program to its end: with options, or for starts that fail. */
export async function runBroker(
  environment: NodeJS.ProcessEnv,
  args: readonly string[] = [],
): Promise<{ code: number | null; output: string }> {
  const { child, output } = spawnBroker(environment, args);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output() };
}

/**
 * Starts the broker on a free port and waits until it is ready.
 *
 * @param environment More of it, or another value.
 */
export async function startBrokerProcess(
  document: object,
  environment: NodeJS.ProcessEnv = {},
): Promise<BrokerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'broker-'));
  const file = join(folder, 'settings.json');
  await writeFile(file, JSON.stringify(document), { mode: 0o600 });
  const { child, output } = spawnBroker({
    BROKER_SETTINGS_FILE: file,
    HOST: '127.0.0.1',
    PORT: '0',
    ...environment,
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const url = await Promise.race([
    listeningAt(child, output),
    exited.then(() => Promise.reject(new Error(output()))),
  ]);
  return {
    url,
    child,
    output,
    exited,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

function spawnBroker(
  environment: NodeJS.ProcessEnv,
  args: readonly string[] = [],
): { child: ChildProcess; output: () => string } {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', 'lib/broker/main.ts', ...args], {
    cwd: PROJECT,
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
  }
  return { child, output: () => text };
}

async function listeningAt(child: ChildProcess, output: () => string): Promise<string> {
  return await new Promise((resolve) => {
    child.stdout?.on('data', () => {
      const url = /Server listening at (https?:[^"]+)"/.exec(output())?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}
