import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { validationProblems } from '../../infra/deployment/checks/validator.ts';
import { resourcesOf, type Template } from '../../infra/deployment/template.ts';
import { createDemoData, DEMO_DATABASE } from '../../infra/local/database/demo-data.ts';
import { contextWith, httpEvent } from '../functions/support/lambda.ts';
import { startTestBroker, type TestBroker } from '../support/broker.ts';
import { startTestDatabase, type TestDatabase } from '../support/database/database.ts';
import { readZip } from '../support/packages/read-zip.ts';
import { NO_NETWORK, templateOf } from '../support/packages/service.ts';
import { sharedService } from '../support/packages/shared-packages.ts';
import { makeDirectory, PROJECT, run, tool } from '../support/project.ts';
import { invokeBundle } from './support/invoke-bundle.ts';
import { installPacked, writeTsconfig } from './support/packed-package.ts';
import { type ApiReply, CREDENTIALS, REGION, startSignedApi } from './support/signed-api.ts';
import { STRANGERS } from './support/strangers.ts';

/** The validator alone takes seconds, and many on a machine that is busy. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const EXAMPLE = path.join(PROJECT, 'infra/examples/orders-service');
const FUNCTIONS = ['get-order', 'place-order', 'sales-report'];
const OF_ITS_OWN = ['@smithy/core', '@types/aws-lambda', '@types/node', 'undici-types'];

/** The example where a user would have it: in a folder of its own, with this package as `npm pack` makes it. */
let folder: string;
let packaged: { exitCode: number; output: string; networkCalls: string };
let template: Template;

beforeAll(async () => {
  folder = await makeDirectory();
  await cp(EXAMPLE, folder, { recursive: true });
  await installPacked(folder, OF_ITS_OWN);
  await writeTsconfig(folder);
  const networkLog = path.join(folder, 'network.log');
  await writeFile(networkLog, '');
  const result = await run('npm', ['run', 'package'], folder, {
    PATH: `${path.join(PROJECT, 'node_modules/.bin')}:${process.env.PATH}`,
    NODE_OPTIONS: `--import=${NO_NETWORK}`,
    NETWORK_LOG: networkLog,
    npm_config_update_notifier: 'false',
  });
  packaged = { ...result, networkCalls: await readFile(networkLog, 'utf8') };
  expect(packaged.output).toContain('Service packaged');
  template = await templateOf({ packaged: path.join(folder, '.serverless') });
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function bundleOf(name: string): string {
  const [bundle = ''] = readZip(path.join(folder, '.serverless', `${name}.zip`)).values();
  return bundle;
}

test('it is packaged without network', () => {
  expect(packaged).toMatchObject({ exitCode: 0, networkCalls: '' });
});

test("AWS's validator finds nothing wrong with its template", () => {
  expect(validationProblems(template)).toEqual([]);
});

test('its types are right for the package as it is published', async () => {
  expect(await run(tool('tsc'), ['-p', '.'], folder)).toEqual({ exitCode: 0, output: '' });
});

test("all that it imports is exported by the broker's stack", async () => {
  const stack = 'serverless-conn-pool-dev';
  const { Outputs } = await templateOf(await sharedService(['--stage', 'dev']));
  const exported = JSON.stringify(Object.values(Outputs ?? {}).map((output) => output.Export?.Name));

  const imported = [...JSON.stringify(template).matchAll(/"Fn::ImportValue":"([^"]+)"/g)].map(
    ([, name]) => name,
  );
  expect(new Set(imported)).toEqual(
    new Set(
      [...exported.replaceAll(`$\{AWS::StackName}`, stack).matchAll(/"(sls-[^"]+)"/g)]
        .map(([, name]) => name)
        .filter((name) => name !== `sls-${stack}-ServerlessDeploymentBucketName`),
    ),
  );
});

test('the role of its functions may send the request that they sign', () => {
  const policies = resourcesOf(template, 'AWS::IAM::Role').map(([, { Properties }]) => Properties?.Policies);

  expect(JSON.stringify(policies)).toContain('/$default/POST/databases/*/query"');
});

test.each(FUNCTIONS)(
  'the package of %s holds its bundle, and nothing of the broker or of the SDK',
  (name) => {
    const files = readZip(path.join(folder, '.serverless', `${name}.zip`));

    expect([...files.keys()]).toEqual([`dist/${name}.mjs`]);
    for (const [stranger, text] of Object.entries(STRANGERS)) {
      expect(bundleOf(name).includes(text), stranger).toBe(false);
    }
  },
);

describe('with a broker and the demo database', () => {
  let database: TestDatabase;
  let broker: TestBroker;

  beforeAll(async () => {
    database = await startTestDatabase();
    await createDemoData(database.admin, database.server);
    const app = { user: 'shop', password: 'shop-password', database: DEMO_DATABASE };
    await database.admin.createUser(app);
    broker = await startTestBroker({ ...database, app });
    for (const name of FUNCTIONS) await writeFile(path.join(folder, `${name}.mjs`), bundleOf(name));
  });

  afterAll(async () => {
    await broker.stop();
    await database.stop();
  });

  async function invoke(name: string, event: object, env: Record<string, string> = {}): Promise<unknown> {
    const asWriter = { BROKER_URL: broker.url, BROKER_KEY: broker.keys.writer };
    return await invokeBundle(path.join(folder, `${name}.mjs`), event, { ...asWriter, ...env });
  }

  async function placeOrder(order: object): Promise<unknown> {
    return await invoke('place-order', httpEvent({ routeKey: 'POST /orders', body: JSON.stringify(order) }));
  }

  async function stockOf(productId: number): Promise<unknown> {
    return (await broker.query('SELECT stock FROM products WHERE id = ?', [productId])).rows[0]?.[0];
  }

  test('an order is read', async () => {
    const event = httpEvent({ routeKey: 'GET /orders/{id}', pathParameters: { id: '42' } });

    const body = expect.stringContaining('"total":"475.50"');
    expect(await invoke('get-order', event)).toMatchObject({ statusCode: 200, body });
  });

  test('an order is placed, and the stock is less', async () => {
    const before = Number(await stockOf(7));

    expect(await placeOrder({ customerId: 1, productId: 7, quantity: 3 })).toMatchObject({ statusCode: 201 });
    expect(await stockOf(7)).toBe(before - 3);
    expect((await broker.query('SELECT total FROM orders ORDER BY id DESC LIMIT 1')).rows).toEqual([
      ['46.50'],
    ]);
  });

  test('an order of more than there is, is answered 409', async () => {
    const body = JSON.stringify({ message: 'sold out' });

    expect(await placeOrder({ customerId: 1, productId: 8, quantity: 9_999 })).toMatchObject({
      statusCode: 409,
      body,
    });
  });

  test('an order of a customer that is not there is answered 409, and the stock is as before', async () => {
    const before = await stockOf(9);

    const body = expect.stringContaining('CONSTRAINT_VIOLATION');
    expect(await placeOrder({ customerId: 9_999, productId: 9, quantity: 1 })).toMatchObject({
      statusCode: 409,
      body,
    });
    expect(await stockOf(9)).toBe(before);
  });

  test('an order that is none is answered 400', async () => {
    expect(await placeOrder({ customerId: 1, productId: 1, quantity: -1 })).toMatchObject({
      statusCode: 400,
    });
  });

  describe('over the HTTP API', () => {
    let api: Awaited<ReturnType<typeof startSignedApi>>;

    beforeAll(async () => {
      process.env.BROKER_URL = broker.url;
      process.env.BROKER_KEY = broker.keys.writer;
      const query = await import('../../functions/query.ts');
      api = await startSignedApi(async ({ path: requested, headers, body }) => {
        const alias = /^\/databases\/([^/]+)\/query$/.exec(requested)?.[1];
        if (alias === undefined) return { statusCode: 404, body: '{"message":"Not Found"}' };
        const call = { routeKey: 'POST /databases/{alias}/query', pathParameters: { alias }, headers, body };
        return (await query.handler(httpEvent(call), contextWith())) as ApiReply;
      });
    });
    afterAll(() => api.stop());

    async function report(status: string, env: Record<string, string> = {}): Promise<unknown> {
      const signing = { BROKER_API_URL: api.url, AWS_REGION: REGION, ...CREDENTIALS };
      return await invoke('sales-report', { status }, { ...signing, ...env });
    }

    test('a signed query is answered', async () => {
      expect(await report('paid')).toEqual({ orders: '2500', total: expect.stringMatching(/^\d+\.\d\d$/) });
    });

    test("a failure has the broker's code as its name", async () => {
      await database.admin.query('RENAME TABLE shop.orders TO shop.orders_away');
      const failed = await report('paid');
      await database.admin.query('RENAME TABLE shop.orders_away TO shop.orders');

      expect(failed).toMatchObject({
        thrown: { name: 'SQL_ERROR', message: expect.stringContaining('orders') },
      });
    });

    test.each(['AWS_SECRET_ACCESS_KEY', 'AWS_REGION'])(
      'a signature with another %s is refused',
      async (name) => {
        expect(await report('paid', { [name]: 'another' })).toEqual({
          thrown: { name: 'HTTP_403', message: 'Forbidden' },
        });
      },
    );
  });
});
