import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../support/http.ts';
import { nodeRuntimes } from '../../support/lambda/node-runtimes.ts';
import { type LambdaFunction, startFunction } from '../../support/lambda/start-function.ts';
import { temporaryDirectory } from '../../support/project.ts';

/** What the other tests of packaged functions stand on: what Lambda enforces is enforced, on each Node.js. */
describe.each(await nodeRuntimes())('a function on Node.js $version', ({ node, version }) => {
  async function start(module: string, { handler = 'dist/code.handler', timeoutMs = 10_000 } = {}) {
    const zip = join(await temporaryDirectory(), 'code.zip');
    await writeFile(zip, zipSync({ 'dist/code.mjs': Buffer.from(module) }));
    const fn = await startFunction({ zip, handler, node, timeoutMs, name: 'code', env: { MINE: 'mine' } });
    onTestFinished(async () => await fn[Symbol.asyncDispose]());
    return fn;
  }
  const failureOf = async (module: string, event: unknown = {}, options = {}) => {
    const answer = await (await start(module, options)).invoke(event);
    return 'error' in answer ? answer.error : undefined;
  };
  const invokeTwice = async (fn: LambdaFunction, one: unknown, other: unknown) => [
    await fn.invoke(one),
    await fn.invoke(other),
  ];

  test('runs on that Node.js, in its task folder, with the environment of Lambda and its own', async () => {
    const fn = await start(`export const handler = async () => ({
      version: process.versions.node, isHome: process.cwd() === process.env.LAMBDA_TASK_ROOT, env: process.env })`);

    expect(await fn.invoke({})).toMatchObject({
      payload: {
        version,
        isHome: true,
        env: { MINE: 'mine', AWS_LAMBDA_FUNCTION_NAME: 'code', _HANDLER: 'dist/code.handler' },
      },
    });
    expect(await fn.invoke({})).not.toMatchObject({ payload: { env: { VITEST: expect.anything() } } });
  });

  test('gets its events one after the other in one process, with an id and the time that is left', async () => {
    const fn = await start(`let seen = 0; export const handler = async ({ n }, context) => ({
      n, seen: ++seen, id: context.awsRequestId, leftMs: context.getRemainingTimeInMillis() })`);

    const [one, other] = await invokeTwice(fn, { n: 1 }, { n: 2 });

    const leftMs = expect.toSatisfy((ms: number) => ms > 0 && ms <= 10_000);
    expect(one).toEqual({ payload: { n: 1, seen: 1, id: expect.stringMatching(/^[0-9a-f-]{36}$/), leftMs } });
    expect(other).toMatchObject({ payload: { n: 2, seen: 2 } });
    expect(other).not.toMatchObject({ payload: { id: (one as { payload: { id: string } }).payload.id } });
    expect(fn.coldStarts).toBe(1);
  });

  test('fails with the name and the message of what it throws, and goes on', async () => {
    const fn = await start(`export const handler = async ({ value }) => {
      if (value) return value;
      throw Object.assign(new Error('went wrong'), { name: 'MY_CODE' }); }`);

    const [failed, answered] = await invokeTwice(fn, {}, { value: 7 });

    expect(failed).toMatchObject({ error: { errorType: 'MY_CODE', errorMessage: 'went wrong' } });
    expect(answered).toEqual({ payload: 7 });
    expect(fn.coldStarts).toBe(1);
  });

  test('is killed when its time is over, and begins anew with the next event', async () => {
    const fn = await start(
      `let seen = 0; export const handler = async ({ hang }) => {
        seen += 1;
        if (hang) await new Promise((resolve) => setTimeout(resolve, 60_000));
        return seen; }`,
      { timeoutMs: 1_000 },
    );
    expect(await fn.invoke({})).toEqual({ payload: 1 });

    const [late, next] = await invokeTwice(fn, { hang: true }, {});

    const errorMessage = expect.stringMatching(/^RequestId: \S+ Error: Task timed out after 1\.00 seconds$/);
    expect(late).toEqual({ error: { errorType: 'Sandbox.Timedout', errorMessage } });
    expect(next).toEqual({ payload: 1 });
    expect(fn.coldStarts).toBe(2);
  });

  test('may answer 6,291,556 bytes and not one more', async () => {
    const fn = await start('export const handler = async ({ bytes }) => "x".repeat(bytes - 2)');

    const [fits, failed] = await invokeTwice(fn, { bytes: 6_291_556 }, { bytes: 6_291_557 });

    expect(fits).toEqual({ payload: expect.toSatisfy((text: string) => text.length === 6_291_554) });
    expect(failed).toMatchObject({ error: { errorType: 'Function.ResponseSizeTooLarge' } });
    expect(await fn.invoke({ bytes: 3 })).toEqual({ payload: 'x' });
  });

  test('gets no event of more than 6,291,456 bytes', async () => {
    const fn = await start('export const handler = async ({ length }) => length');
    await expect(fn.invoke('x'.repeat(6_291_455))).rejects.toThrow('RequestEntityTooLargeException');
    expect(await fn.invoke('x'.repeat(6_291_454))).toEqual({ payload: 6_291_454 });
  });

  test('finds the SDK of its runtime, and none of our own modules', async () => {
    const fn = await start(`export const handler = async ({ name }) => Object.keys(await import(name))`);

    const [sdk, driver] = await invokeTwice(
      fn,
      { name: '@aws-sdk/client-secrets-manager' },
      { name: 'mysql2' },
    );

    expect(sdk).toEqual({ payload: expect.arrayContaining(['SecretsManager']) });
    expect(driver).toMatchObject({ error: { errorMessage: expect.stringContaining("'mysql2'") } });
  });

  test('is frozen between invocations', async () => {
    const fn = await start('export const handler = async () => process.pid');
    const stateOf = async (pid: unknown) =>
      /^State:\s*(\w)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];

    const first = await fn.invoke({});

    const pid = 'payload' in first ? first.payload : 0;
    await eventually(
      () => stateOf(pid),
      (state) => state === 'T',
    );
    expect(await fn.invoke({})).toEqual({ payload: pid });
  });

  test.each([
    ['a module that is not there', '', { handler: 'dist/other.handler' }, 'Runtime.ImportModuleError'],
    ['a module that lacks another', 'import "mysql2"', {}, 'Runtime.ImportModuleError'],
    ['a module out of form', 'export const', {}, 'Runtime.UserCodeSyntaxError'],
    ['an export that is not there', 'export const other = 1', {}, 'Runtime.HandlerNotFound'],
    ['an export that is no function', 'export const handler = 1', {}, 'Runtime.HandlerNotFound'],
    ['a name without an export', '', { handler: 'dist/code' }, 'Runtime.MalformedHandlerName'],
    ['a callback', 'export function handler(a, b, c) {}', {}, 'Runtime.CallbackHandlerDeprecated'],
    ['a module that throws', 'throw new TypeError("no")', {}, 'TypeError'],
    ['a module that exits', 'process.exit(3)', {}, 'Runtime.ExitError'],
  ])('with %s fails to start', async (_, module, options, errorType) => {
    expect(await failureOf(module, {}, options)).toMatchObject({ errorType });
  });

  test.each([
    ['throws no error', 'throw "text"', 'string', 'text'],
    ['answers what is no JSON', 'return 1n', 'Runtime.MarshalError', 'BigInt'],
    [
      'lets a promise go that fails',
      'Promise.reject(new Error("lost")); await new Promise(() => {})',
      'Runtime.UnhandledPromiseRejection',
      'lost',
    ],
    ['ends its process', 'console.log("last words"); process.exit(1)', 'Runtime.ExitError', 'last words'],
  ])('that %s fails', async (_, body, errorType, errorMessage) => {
    expect(await failureOf(`export const handler = async () => { ${body} }`)).toMatchObject({
      errorType,
      errorMessage: expect.stringContaining(errorMessage),
    });
  });
});
