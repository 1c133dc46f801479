import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Overview, overviewLines, taskDollarsPerMonth } from '../../../infra/deployment/overview.ts';
import { planDeployment } from '../../../infra/deployment/plan.ts';
import { preflight } from '../../../infra/deployment/preflight.ts';
import { makeDirectory, PROJECT, run } from '../../support/project.ts';
import { FakeSecretsManager } from '../../support/rotation/secrets-manager.ts';

vi.setConfig({ testTimeout: 60_000 });

/** ECR over HTTP, as the SDK speaks to it. */
const images = new Set<string>();
let hasRepository = true;
const ecr = createServer((request, response) => {
  void text(request).then((body) => {
    const [, operation = ''] = String(request.headers['x-amz-target']).split('.');
    const [status, answer] = answerOf(operation, body);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer));
  });
});
const PASSWORD = 'a-password-for-twelve-hours';

function answerOf(operation: string, body: string): [status: number, answer: object] {
  if (operation === 'GetAuthorizationToken') {
    const authorizationToken = Buffer.from(`AWS:${PASSWORD}`).toString('base64');
    const proxyEndpoint = 'https://123456789012.dkr.ecr.eu-west-1.amazonaws.com';
    return [200, { authorizationData: [{ authorizationToken, proxyEndpoint }] }];
  }
  if (!hasRepository) return [400, { __type: 'RepositoryNotFoundException', message: 'no such' }];
  const { imageIds } = JSON.parse(body);
  return images.has(imageIds[0].imageTag)
    ? [200, { imageDetails: [{}] }]
    : [400, { __type: 'ImageNotFoundException', message: 'no such' }];
}

let secrets: FakeSecretsManager;
let environment: NodeJS.ProcessEnv;
let overview: Overview;

beforeAll(async () => {
  secrets = await FakeSecretsManager.start();
  await new Promise<void>((resolve) => {
    ecr.listen(0, '127.0.0.1', resolve);
  });
  const address = ecr.address();
  const port = typeof address === 'object' ? address?.port : 0;
  environment = {
    ...secrets.environment,
    AWS_ENDPOINT_URL_ECR: `http://127.0.0.1:${port}`,
    AWS_MAX_ATTEMPTS: '1',
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const settings = path.join(PROJECT, 'infra/examples/settings.yaml');
  const parameters = {
    minTasks: 1,
    maxTasks: 2,
    deployMaxPercent: 200,
    network: 'new',
    egress: 'nat',
    ingress: 'alb',
  };
  for (const name of ['functions-key', 'operator-key', 'shop']) secrets.put(`conn-pool/${name}`, '{}');
  ({ overview } = await planDeployment({ ...parameters, settings, imageTag: '1.2.3' }));
});

afterAll(async () => {
  vi.unstubAllEnvs();
  ecr.closeAllConnections();
  ecr.close();
  await secrets[Symbol.asyncDispose]();
});

beforeEach(() => {
  hasRepository = true;
  images.add('1.2.3');
});

const ask = () => preflight(overview, { region: 'eu-west-1' });

describe('before a deployment', () => {
  test('an image and secrets that are there are all that is wanted, and no value is read', async () => {
    await expect(ask()).resolves.toBeUndefined();
    expect(overview.secrets.map(({ id }) => id).sort()).toEqual([
      'conn-pool/functions-key',
      'conn-pool/operator-key',
      'conn-pool/shop',
    ]);
    expect(new Set(secrets.calls)).toEqual(new Set(['DescribeSecret']));
  });

  test('an image that nobody pushed is told', async () => {
    images.clear();
    await expect(ask()).rejects.toHaveProperty('problems', [
      'imageTag: found 1.2.3, which the repository serverless-conn-pool does not have, allowed one that is there: npm run image makes it',
    ]);
  });

  test('so is a repository that is not there', async () => {
    hasRepository = false;
    await expect(ask()).rejects.toThrow(
      'repository: found serverless-conn-pool, which ECR does not have in eu-west-1',
    );
  });

  test('so is a secret that is not there', async () => {
    const more = { place: 'settings', id: 'conn-pool/reports' };
    const asked = preflight({ ...overview, secrets: [...overview.secrets, more] }, { region: 'eu-west-1' });
    await expect(asked).rejects.toHaveProperty('problems', [
      'settings: found conn-pool/reports, which Secrets Manager does not have in eu-west-1, allowed a secret that is there',
    ]);
  });
});

test('the summary names hosts, secrets, image, budget and price', () => {
  expect(overviewLines(overview).map((line) => line.replace(/ +/, ' '))).toEqual([
    'Database default: shop.cluster-abc.eu-west-1.rds.amazonaws.com:3306',
    'Secret conn-pool/functions-key (brokerKeySecret)',
    'Secret conn-pool/operator-key (adminKeySecret)',
    'Secret conn-pool/shop (settings)',
    'Image serverless-conn-pool:1.2.3',
    expect.stringMatching(
      /^Budget up to 15 connections a task .* 6 tasks at the peak .* at most 60 on shop\./,
    ),
    expect.stringMatching(/^Price 7\.21 to 14\.42 \$ a month for 1 to 2 tasks/),
  ]);
});

test('a task costs its CPU and its memory', () => {
  expect(taskDollarsPerMonth(256, 512)).toBeCloseTo((0.25 * 0.03238 + 0.5 * 0.00356) * 730);
  expect(taskDollarsPerMonth(1_024, 2_048)).toBeCloseTo(28.84, 1);
});

describe('npm run image', () => {
  let folder: string;
  /** Each call of docker: its arguments, and what came by standard input. */
  let log: string;

  beforeAll(async () => {
    folder = await makeDirectory();
    log = path.join(folder, 'docker.log');
    await mkdir(path.join(folder, 'bin'));
    const standIn = path.join(folder, 'bin/docker');
    await writeFile(standIn, `#!/bin/sh\necho "$*|$(cat)" >> '${log}'\n[ "$1" != "$FAIL" ]\n`);
    await chmod(standIn, 0o755);
  });
  afterAll(() => rm(folder, { recursive: true }));
  beforeEach(() => writeFile(log, ''));

  const build = async (args: readonly string[], more = {}) =>
    await run(process.execPath, ['--import', 'tsx', 'infra/packages/image.ts', ...args], PROJECT, {
      ...environment,
      ...more,
      PATH: `${folder}/bin:${process.env.PATH}`,
    });
  const REGISTRY = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';

  test('logs in, builds and pushes, and shows the password to docker alone', async () => {
    const { exitCode, output } = await build(['--tag', '1.2.3', '--region', 'eu-west-1']);
    expect(exitCode).toBe(0);
    expect(output).not.toContain(PASSWORD);
    const image = `${REGISTRY}/serverless-conn-pool:1.2.3`;
    expect((await readFile(log, 'utf8')).trim().split('\n')).toEqual([
      `login --username AWS --password-stdin ${REGISTRY}|${PASSWORD}`,
      `buildx build --file infra/Dockerfile --platform linux/arm64 --tag ${image} --load .|`,
      `push ${image}|`,
    ]);
  });

  test('pushes nothing that was not built', async () => {
    const { exitCode, output } = await build([], { FAIL: 'buildx' });
    expect(exitCode).toBe(1);
    expect(output).toContain('docker buildx failed with code 1');
    expect(await readFile(log, 'utf8')).not.toContain('push');
  });

  test('by --dry-run prints the commands, with a base that is pinned, and asks nobody', async () => {
    const base = `node:24-slim@sha256:${'a'.repeat(64)}`;
    const { exitCode, output } = await build([
      '--dry-run',
      '--tag',
      '2',
      '--node-image',
      base,
      '--region',
      'us-east-1',
    ]);
    const image = 'ACCOUNT.dkr.ecr.us-east-1.amazonaws.com/serverless-conn-pool:2';
    expect(output.trim().split('\n')).toEqual([
      'docker login --username AWS --password-stdin ACCOUNT.dkr.ecr.us-east-1.amazonaws.com',
      `docker buildx build --file infra/Dockerfile --platform linux/arm64 --build-arg NODE_IMAGE=${base} --tag ${image} --load .`,
      `docker push ${image}`,
    ]);
    expect(exitCode).toBe(0);
    expect(await readFile(log, 'utf8')).toBe('');
  });

  test('refuses an option that it does not know, and names those that there are', async () => {
    const { exitCode, output } = await build(['--tags', '2']);
    expect(output).toMatch(/--tags.*\n(.*\n)?Usage: npm run image -- .*--tag TAG/);
    expect(exitCode).toBe(1);
  });
});
