import { join } from 'node:path';
import { pollUntil } from './process/poll-until.ts';
import { startWatched } from './process/watched-process.ts';
import { beginStep } from './step.ts';

/** Seconds, on a machine that has nothing else to do. */
const START_TIMEOUT_MS = 120_000;
const STOP_GRACE_MS = 5_000;
const POLL_INTERVAL_MS = 100;
const PROJECT_FOLDER = join(import.meta.dirname, '../..');

export interface ServiceOptions {
  /** How it is called in messages. */
  readonly name: string;
  readonly url: string;
  /** Answers 200 once the service serves. */
  readonly healthPath: string;
  readonly nodeArguments: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly ownedFolders?: readonly string[];
  /** Its own work until it serves, for people. */
  readonly does: string;
}

export interface Service {
  readonly url: string;
  /** Rejects when the service ends, with its last lines. */
  readonly failed: Promise<never>;
  /** Asks it to end and waits. */
  stop(): Promise<void>;
}

/** Starts a Node program of this project and waits until it serves; from then on its output is shown. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { name, does, url, healthPath, nodeArguments, env, ownedFolders = [] } = options;
  const step = beginStep(`Starting the ${name}: ${does}`);
  let serves = false;
  const service = await startWatched(process.execPath, nodeArguments, {
    cwd: PROJECT_FOLDER,
    env,
    ownedFolders,
    onLine: (line) => {
      if (serves && line.trim() !== '') console.log(`[${name}] ${line}`);
    },
  });
  const failed = service.ended.then((how): never => {
    throw new Error(`The ${name} ${how}. Its last lines:\n${service.lastLines}`);
  });
  let answer = 'no answer';
  try {
    await pollUntil(
      async (signal) => {
        const response = await fetch(`${url}${healthPath}`, { signal }).catch(() => undefined);
        if (response !== undefined)
          answer = `status ${response.status}: ${await response.text().catch(() => '')}`;
        return response?.ok === true;
      },
      { intervalMs: POLL_INTERVAL_MS, timeoutMs: START_TIMEOUT_MS, hopeless: failed },
    );
  } catch (error) {
    step.end('failed');
    const hadEnded = !service.running;
    await service.kill();
    if (hadEnded) throw error;
    const silence = `The ${name} did not get ready within ${START_TIMEOUT_MS} ms: ${answer}`;
    throw new Error(`${silence}. Its last lines:\n${service.lastLines}`, { cause: error });
  }
  step.end(`serves at ${url}`);
  serves = true;
  return { url, failed, stop: () => service.stop(STOP_GRACE_MS) };
}
