import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDirectory, PROJECT, run, temporaryDirectory, tool } from './support/project.ts';
import { readZip } from './support/read-zip.ts';

const FUNCTIONS = {
  query: { bundle: 'dist/functions/query.mjs', maxBytes: 40_960 },
  transaction: { bundle: 'dist/functions/transaction.mjs', maxBytes: 40_960 },
  health: { bundle: 'dist/functions/health.mjs', maxBytes: 40_960 },
  'credentials-rotated': { bundle: 'dist/functions/credentials-rotated.mjs', maxBytes: 40_960 },
  'get-order': { bundle: 'dist/functions/examples/get-order.mjs', maxBytes: 61_440 },
};
const functions = Object.entries(FUNCTIONS).map(([name, facts]) => ({ name, ...facts }));

/** A text by which each that does not belong into a bundle shows itself. */
const STRANGERS = {
  fastify: 'FST_ERR_',
  mysql2: 'caching_sha2_password',
  pino: 'pino.',
  'prom-client': 'process_cpu_user_seconds_total',
  'the AWS SDK': 'amz-sdk-invocation-id',
  'the large zod': 'Invalid input: expected',
};

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

let packaged: string;
let template: { readonly Resources: Readonly<Record<string, Resource>> };

beforeAll(async () => {
  packaged = await makeDirectory();
  const { exitCode, output } = await run(tool('osls'), ['package', '-p', packaged]);
  expect(output).toContain('Service packaged');
  expect(exitCode).toBe(0);
  template = JSON.parse(
    await readFile(path.join(packaged, 'cloudformation-template-update-stack.json'), 'utf8'),
  );
});

afterAll(async () => {
  await rm(packaged, { recursive: true });
});

function resourcesOf(type: string): Resource[] {
  return Object.values(template.Resources).filter(({ Type }) => Type === type);
}

function bundleOf(name: keyof typeof FUNCTIONS | string): string {
  const [text = ''] = readZip(path.join(packaged, `${name}.zip`)).values();
  return text;
}

test.each(functions)(
  'the package of $name holds its bundle and nothing else',
  ({ name, bundle, maxBytes }) => {
    const files = readZip(path.join(packaged, `${name}.zip`));

    expect([...files.keys()]).toEqual([bundle]);
    expect(Buffer.byteLength(bundleOf(name))).toBeLessThan(maxBytes);
  },
);

test('the functions may read the secret of their key, and none whose name only begins like it', () => {
  const statements = JSON.stringify(resourcesOf('AWS::IAM::Policy'));
  expect(statements).toContain('secretsmanager:GetSecretValue');
  expect(statements).toMatch(/:secret:[^*"]*-\?{6}"/);
});

test.each(functions)(
  'the bundle of $name holds nothing of the broker, of the SDK or of the large zod',
  ({ name }) => {
    const bundle = bundleOf(name);

    expect(bundle).toContain('BROKER_URL');
    for (const [stranger, text] of Object.entries(STRANGERS)) {
      expect(bundle.includes(text), stranger).toBe(false);
    }
  },
);

test.each(functions)('the bundle of $name runs by itself', async ({ name }) => {
  const directory = await temporaryDirectory();
  await writeFile(path.join(directory, 'bundle.mjs'), bundleOf(name));
  const script = "import('./bundle.mjs').then(({ handler }) => console.log(typeof handler, handler.length))";

  const { output } = await run(process.execPath, ['-e', script], directory, {
    BROKER_URL: 'http://127.0.0.1:1',
  });

  // A third parameter would be a callback, which Lambda's Node 24 refuses.
  expect(output).toMatch(/^function [12]\n$/);
});

test('the template deploys each bundle under its own handler', () => {
  const handlers = resourcesOf('AWS::Lambda::Function').map(({ Properties }) => Properties.Handler);

  // It holds the driver: test/e2e/packaged-rotation.test.ts looks at it.
  const bundles = [...functions.map(({ bundle }) => bundle), 'dist/functions/rotate-secret.mjs'];
  expect(handlers.sort()).toEqual(bundles.map((bundle) => bundle.replace('.mjs', '.handler')).sort());
});

test('every HTTP route is behind IAM authorization', () => {
  const routes = resourcesOf('AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties);

  expect(routes.map(({ RouteKey }) => RouteKey)).toEqual([
    'POST /databases/{alias}/query',
    'POST /databases/{alias}/transaction',
    'GET /health',
    'GET /orders/{id}',
  ]);
  expect(new Set(routes.map(({ AuthorizationType }) => AuthorizationType))).toEqual(new Set(['AWS_IAM']));
});

test('packaging again makes the same bytes', async () => {
  const again = await temporaryDirectory();

  await run(tool('osls'), ['package', '-p', again]);

  for (const { name } of functions) {
    const [first, second] = await Promise.all(
      [packaged, again].map((directory) => readFile(path.join(directory, `${name}.zip`))),
    );
    expect(first?.equals(second ?? Buffer.alloc(0)), name).toBe(true);
  }
}, 240_000);

test('a bundle beyond its size limit fails the packaging with a sentence', async () => {
  const service = await temporaryDirectory();
  for (const part of ['package.json', 'node_modules', 'infra', 'functions', 'lib']) {
    await symlink(path.join(PROJECT, part), path.join(service, part));
  }
  const settings = await readFile(path.join(PROJECT, 'serverless.yml'), 'utf8');
  await writeFile(path.join(service, 'serverless.yml'), settings.replace('query: 40960', 'query: 4096'));

  const { exitCode, output } = await run(tool('osls'), ['package'], service);

  expect(output).toMatch(/The bundle of the function "query" has \d+ bytes, 4096 are allowed\./);
  expect(exitCode).toBe(1);
});
