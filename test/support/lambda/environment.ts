import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { startWatched, type WatchedProcess } from '../../../infra/local/process/watched-process.ts';
import { type Answer, type FunctionError, failed } from './payload.ts';
import { RuntimeApi } from './runtime-api.ts';

const BOOTSTRAP = path.join(import.meta.dirname, 'bootstrap.mjs');
/** Lambda's own limit of an initialisation. */
const INIT_TIMEOUT_MS = 10_000;

export interface EnvironmentOptions {
  readonly functionName: string;
  /** The unpacked package. */
  readonly taskRoot: string;
  /** The Node.js program. */
  readonly node: string;
  /** Of an invocation. */
  readonly timeoutMs: number;
  readonly variables: Readonly<Record<string, string>>;
}

/** An execution environment: one process that runs one invocation at a time, and is frozen in between. */
export class Environment {
  readonly #timeoutMs: number;
  readonly #api: RuntimeApi;
  readonly #process: WatchedProcess;
  #isBusy = false;

  private constructor(timeoutMs: number, api: RuntimeApi, process: WatchedProcess) {
    this.#timeoutMs = timeoutMs;
    this.#api = api;
    this.#process = process;
    void this.#freezeWhenIdle();
  }

  static async start(options: EnvironmentOptions): Promise<Environment> {
    const { functionName, taskRoot, node, timeoutMs, variables } = options;
    const api = await RuntimeApi.listen(functionName);
    const env = { ...variables, AWS_LAMBDA_RUNTIME_API: api.address };
    const process = await startWatched(node, [BOOTSTRAP], { cwd: taskRoot, env });
    return new Environment(timeoutMs, api, process);
  }

  /** Resolves when it can take an event; with a failure, if it never will. */
  async ready(): Promise<FunctionError | undefined> {
    const lateError = failed('Sandbox.Timedout', timedOut(INIT_TIMEOUT_MS)).error;
    const ready = Promise.race([this.#api.ready, this.#exit()]);
    return await within(INIT_TIMEOUT_MS, ready, lateError);
  }

  /** Runs one invocation. It must be ready. */
  async invoke(event: string): Promise<Answer> {
    const id = randomUUID();
    this.#isBusy = true;
    this.#signal('SIGCONT');
    const answer = Promise.race([
      this.#api.invoke({ id, event, deadlineMs: Date.now() + this.#timeoutMs }),
      this.#exit().then((error) => ({ error })),
    ]);
    const lateAnswer = failed('Sandbox.Timedout', `RequestId: ${id} Error: ${timedOut(this.#timeoutMs)}`);
    const got = await within(this.#timeoutMs, answer, lateAnswer);
    if (got === lateAnswer) await this.end();
    this.#isBusy = false;
    void this.#freezeWhenIdle();
    return got;
  }

  async end(): Promise<void> {
    await this.#process.kill();
    await this.#api.close();
  }

  async #exit(): Promise<FunctionError> {
    const how = await this.#process.ended;
    return failed('Runtime.ExitError', `Runtime ${how}\n${this.#process.lastLines}`).error;
  }

  async #freezeWhenIdle(): Promise<void> {
    await this.#api.ready;
    if (!this.#isBusy) this.#signal('SIGSTOP');
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#process.running) process.kill(this.#process.pid, signal);
  }
}

function timedOut(timeoutMs: number): string {
  return `Task timed out after ${(timeoutMs / 1_000).toFixed(2)} seconds`;
}

/** What comes in time; what has arrived by then, but was not yet looked at, counts. */
async function within<T>(timeoutMs: number, outcome: Promise<T>, late: T): Promise<T> {
  const over = new AbortController();
  const timeUp = delay(timeoutMs, late, { signal: over.signal }).then(async () => {
    await nextTurn();
    await nextTurn();
    return late;
  });
  timeUp.catch(() => {});
  try {
    return await Promise.race([outcome, timeUp]);
  } finally {
    over.abort();
  }
}
