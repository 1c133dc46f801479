// What Lambda's Node.js runtime does around a handler: loads it, asks the Runtime API for one event after the other,
// and tells its answers and failures in Lambda's form. Plain JavaScript: it runs on every Node.js without a loader.
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const { AWS_LAMBDA_RUNTIME_API, LAMBDA_TASK_ROOT, _HANDLER } = process.env;
const ERROR_TYPE_HEADER = 'lambda-runtime-function-error-type';
const EXIT_CODE = 129;

/** Path below `/runtime` at which a failure is to be told now. */
let failurePath = '/init/error';

function ask(method, where, body, headers) {
  return new Promise((resolve, reject) => {
    const url = `http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime${where}`;
    const asking = request(url, { method, headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ headers: response.headers, text: Buffer.concat(chunks).toString() }),
      );
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

async function tellFailure(error) {
  const told =
    error instanceof Error
      ? { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split('\n') }
      : { errorType: typeof error, errorMessage: String(error), trace: [] };
  const headers = { 'content-type': 'application/json', [ERROR_TYPE_HEADER]: told.errorType };
  await ask('POST', failurePath, JSON.stringify(told), headers);
}

async function tellAndExit(error) {
  await tellFailure(error).catch(() => {});
  process.exit(EXIT_CODE);
}

function named(name, message) {
  return Object.assign(new Error(message), { name: `Runtime.${name}` });
}

async function loadModule(file) {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    if (error instanceof SyntaxError) throw named('UserCodeSyntaxError', String(error));
    if (/MODULE_NOT_FOUND$/.test(error?.code)) throw named('ImportModuleError', String(error));
    throw error;
  }
}

/** `dist/functions/query.handler`: the export of a module, found by any of the names that a module may have. */
async function loadHandler() {
  const { dir, base } = path.parse(_HANDLER);
  const parts = /^([^.]+)\.(.+)$/.exec(base);
  if (parts === null || _HANDLER.includes('..')) {
    throw named('MalformedHandlerName', `'${_HANDLER}' is not a valid handler name`);
  }
  const [, module, exportPath] = parts;
  const stem = path.resolve(LAMBDA_TASK_ROOT, dir, module);
  const file = ['', '.js', '.mjs', '.cjs'].map((extension) => stem + extension).find(existsSync);
  if (file === undefined) throw named('ImportModuleError', `Error: Cannot find module '${module}'`);
  const loaded = await loadModule(file);
  const handler = exportPath.split('.').reduce((holder, name) => holder?.[name], loaded);
  if (handler === undefined) throw named('HandlerNotFound', `${_HANDLER} is undefined or not exported`);
  if (typeof handler !== 'function') throw named('HandlerNotFound', `${_HANDLER} is not a function`);
  // As nodejs24.x does, whichever Node.js this is: it is the runtime that functions are deployed to.
  if (handler.length > 2)
    throw named('CallbackHandlerDeprecated', 'Handlers with a callback are not supported');
  return handler;
}

function contextOf(headers) {
  const deadlineMs = Number(headers['lambda-runtime-deadline-ms']);
  return {
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

/** Something that returns nothing answers null. */
function toPayload(answer) {
  try {
    return JSON.stringify(answer === undefined ? null : answer);
  } catch (cause) {
    throw named('MarshalError', `The answer cannot be written as JSON: ${cause}`);
  }
}

async function serve(handler) {
  const { headers, text } = await ask('GET', '/invocation/next');
  const invocation = `/invocation/${headers['lambda-runtime-aws-request-id']}`;
  failurePath = `${invocation}/error`;
  process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
  try {
    const payload = toPayload(await handler(JSON.parse(text), contextOf(headers)));
    await ask('POST', `${invocation}/response`, payload, { 'content-type': 'application/json' });
  } catch (error) {
    await tellFailure(error);
  }
}

process.on('uncaughtException', (error) => void tellAndExit(error));
process.on('unhandledRejection', (reason) => {
  void tellAndExit(named('UnhandledPromiseRejection', String(reason)));
});

const handler = await loadHandler().catch(tellAndExit);
for (;;) await serve(handler);
