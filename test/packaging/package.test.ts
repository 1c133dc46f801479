import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { resourcesOf, type Template } from '../../infra/deployment/template.ts';
import { readZip } from '../support/packages/read-zip.ts';
import { type PackagedService, packageService, templateOf } from '../support/packages/service.ts';
import { sharedService } from '../support/packages/shared-packages.ts';
import { run, temporaryDirectory } from '../support/project.ts';
import { STRANGERS } from './support/strangers.ts';

/** The validator alone takes seconds, and many on a machine that is busy. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const FUNCTIONS = {
  query: { bundle: 'dist/functions/query.mjs', maxBytes: 53_248 },
  transaction: { bundle: 'dist/functions/transaction.mjs', maxBytes: 53_248 },
  health: { bundle: 'dist/functions/health.mjs', maxBytes: 53_248 },
  'credentials-rotated': { bundle: 'dist/functions/credentials-rotated.mjs', maxBytes: 53_248 },
  'get-order': { bundle: 'dist/infra/examples/orders-service/get-order.mjs', maxBytes: 61_440 },
  'place-order': { bundle: 'dist/infra/examples/orders-service/place-order.mjs', maxBytes: 61_440 },
};
const functions = Object.entries(FUNCTIONS).map(([name, facts]) => ({ name, ...facts }));

let service: PackagedService;
let template: Template;

beforeAll(async () => {
  // With the examples, which `npm start` has too.
  service = await sharedService(['--stage', 'local']);
  expect(service.output).toContain('Service packaged');
  expect(service.exitCode).toBe(0);
  template = await templateOf(service);
});

function bundleOf(name: keyof typeof FUNCTIONS | string): string {
  const [text = ''] = readZip(path.join(service.packaged, `${name}.zip`)).values();
  return text;
}

test.each(functions)(
  'the package of $name holds its bundle and nothing else',
  ({ name, bundle, maxBytes }) => {
    const files = readZip(path.join(service.packaged, `${name}.zip`));

    expect([...files.keys()]).toEqual([bundle]);
    expect(Buffer.byteLength(bundleOf(name))).toBeLessThan(maxBytes);
  },
);

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
  const handlers = resourcesOf(template, 'AWS::Lambda::Function').map(
    ([, { Properties }]) => Properties?.Handler,
  );

  // It holds the driver: test/e2e/packaged/rotation.test.ts looks at it.
  const bundles = [...functions.map(({ bundle }) => bundle), 'dist/functions/rotate-secret.mjs'];
  expect(handlers.sort()).toEqual(bundles.map((bundle) => bundle.replace('.mjs', '.handler')).sort());
});

test('packaging again, for another stage, makes the same bytes', async () => {
  const again = await sharedService(['--stage', 'dev']);
  const names = ['query', 'transaction', 'health', 'credentials-rotated', 'rotate-secret'];

  for (const name of names) {
    const [first, second] = await Promise.all(
      [service, again].map(({ packaged }) => readFile(path.join(packaged, `${name}.zip`))),
    );
    expect(first?.equals(second ?? Buffer.alloc(0)), name).toBe(true);
  }
});

test('a bundle beyond its size limit fails the packaging with a sentence', async () => {
  const { folder, exitCode, output } = await packageService([], (text) =>
    text.replace('query: 53248', 'query: 4096'),
  );
  onTestFinished(() => rm(folder, { recursive: true }));

  expect(output).toMatch(/The bundle of the function "query" has \d+ bytes, 4096 are allowed\./);
  expect(exitCode).toBe(1);
});
