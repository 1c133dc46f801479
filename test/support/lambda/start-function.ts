import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTemporaryFolder, removeTemporaryFolder } from '../../../infra/local/process/temporary-folder.ts';
import { readZip } from '../packages/read-zip.ts';
import { Environment, type EnvironmentOptions } from './environment.ts';
import { type Answer, toEvent } from './payload.ts';

/** Where the SDK is that stands for the one in Lambda's runtime. */
const RUNTIME_MODULES = path.resolve(import.meta.dirname, '../../../node_modules');

interface FunctionOptions {
  readonly zip: string;
  /** `dist/functions/query.handler` */
  readonly handler: string;
  /** The function's own variables; nothing else of this process's environment reaches it. */
  readonly env?: Readonly<Record<string, string>>;
  /** The Node.js program to run it with. Default: that of this process. */
  readonly node?: string | undefined;
  readonly timeoutMs?: number;
  readonly name?: string;
}

/** A function as Lambda runs it: its environment begins with the first invocation, and again after it has died. */
export class LambdaFunction implements AsyncDisposable {
  readonly #folder: string;
  readonly #options: EnvironmentOptions;
  #environment: Environment | undefined;
  #coldStarts = 0;

  constructor(folder: string, options: EnvironmentOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** How many environments it took so far. */
  get coldStarts(): number {
    return this.#coldStarts;
  }

  /**
   * Invokes it and waits for its answer: one invocation at a time.
   *
   * @throws if Lambda would not take the event.
   */
  async invoke(event: unknown): Promise<Answer> {
    const text = toEvent(event);
    const usable = await this.#usable();
    if (usable instanceof Environment) return await usable.invoke(text);
    return usable;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#environment?.end();
    await removeTemporaryFolder(this.#folder);
  }

  /** The environment that is there, or a new one; or why there is none. */
  async #usable(): Promise<Environment | Answer> {
    if (this.#environment !== undefined) {
      if ((await this.#environment.ready()) === undefined) return this.#environment;
      await this.#environment.end();
    }
    this.#coldStarts += 1;
    this.#environment = await Environment.start(this.#options);
    const error = await this.#environment.ready();
    return error === undefined ? this.#environment : { error };
  }
}

/** Unpacks a function's package, outside of the project: of its modules only the SDK is to be found there. */
export async function startFunction(options: FunctionOptions): Promise<LambdaFunction> {
  const { zip, handler, env = {}, node = process.execPath, timeoutMs = 10_000, name = 'function' } = options;
  const folder = await makeTemporaryFolder('lambda');
  const taskRoot = path.join(folder, 'task');
  for (const [file, content] of readZip(zip)) {
    const target = path.join(taskRoot, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, content);
  }
  // Lambda's Node.js finds the runtime's modules by NODE_PATH, from ES modules too, which no other Node.js does.
  const modules = path.join(folder, 'node_modules');
  await mkdir(modules);
  await symlink(path.join(RUNTIME_MODULES, '@aws-sdk'), path.join(modules, '@aws-sdk'));
  const variables = { ...variablesOf(name, handler, taskRoot), NODE_PATH: modules, ...env };
  return new LambdaFunction(folder, { functionName: name, taskRoot, node, timeoutMs, variables });
}

function variablesOf(name: string, handler: string, taskRoot: string): Record<string, string> {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    _HANDLER: handler,
    LAMBDA_TASK_ROOT: taskRoot,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_REGION: 'eu-west-1',
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_SESSION_TOKEN: 'test',
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: '2026/11/22/[$LATEST]0123456789abcdef',
  };
}
