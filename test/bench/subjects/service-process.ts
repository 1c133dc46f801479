import { join } from 'node:path';
import { findFreePort } from '../../../infra/local/process/free-port.ts';
import { pollUntil } from '../../../infra/local/process/poll-until.ts';
import { startWatched } from '../../../infra/local/process/watched-process.ts';

const PROJECT = join(import.meta.dirname, '../../..');
const START_TIMEOUT_MS = 30_000;
const START_POLL_MS = 10;
const STOP_GRACE_MS = 10_000;
/** As a container's log driver takes the output: nobody in this process reads it. `exec` keeps the process id. */
const WITH_OUTPUT_TO_FILE = 'exec "$@" >"$0"';

export interface ServiceProcess {
  readonly url: string;
  readonly pid: number;
  /** From the start of the process until it was ready. */
  readonly startMs: number;
  stop(): Promise<void>;
}

/** Starts a service that listens where `PORT` says, and waits until it is ready. It does not outlive this process. */
export async function startServiceProcess(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  logFile = '/dev/null',
): Promise<ServiceProcess> {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const sinceMs = performance.now();
  const service = await startWatched('sh', ['-c', WITH_OUTPUT_TO_FILE, logFile, ...command], {
    cwd: PROJECT,
    env: { ...process.env, ...env, NODE_ENV: 'production', PORT: String(port) },
  });
  const ended = service.ended.then((how): never => {
    throw new Error(`${command[0]} ${how}: ${service.lastLines}`);
  });
  ended.catch(() => undefined);
  await pollUntil(
    async (signal) => {
      const reply = await fetch(`${url}/readyz`, { signal }).catch(() => undefined);
      await reply?.arrayBuffer();
      return reply?.ok === true;
    },
    { intervalMs: START_POLL_MS, timeoutMs: START_TIMEOUT_MS, hopeless: ended },
  );
  const startMs = performance.now() - sinceMs;
  return { url, pid: service.pid, startMs, stop: () => service.stop(STOP_GRACE_MS) };
}
