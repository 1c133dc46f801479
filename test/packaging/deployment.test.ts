import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { packageService, templateOf } from '../support/packages/service.ts';
import { sharedService } from '../support/packages/shared-packages.ts';
import { temporaryDirectory } from '../support/project.ts';
import { argumentsOf, MODES, propertiesOf } from './support/deployment-modes.ts';

/** The validator alone takes seconds, and many on a machine that is busy. */
vi.setConfig({ testTimeout: 180_000 });

/** Logins by IAM and hashed keys: a broker that reads no secret. */
const WITHOUT_SECRETS = {
  databases: {
    default: {
      host: 'shop.cluster-abc.eu-west-1.rds.amazonaws.com',
      pool: { size: 5 },
      credentials: { iam: { username: 'app' } },
    },
  },
  callers: {
    functions: { keySha256: 'a'.repeat(64), databases: ['*'], access: 'write' },
    operator: { keySha256: 'b'.repeat(64), databases: ['*'], access: 'admin' },
  },
};

async function packagedWith(...args: Parameters<typeof packageService>) {
  const service = await packageService(...args);
  onTestFinished(() => rm(service.folder, { recursive: true }));
  return service;
}

/** Of the policies of a role. */
function actionsOf(policies: unknown): string[] {
  return [...JSON.stringify(policies).matchAll(/"([a-z-]+:[A-Za-z]+)"/g)].map(([, action = '']) => action);
}

test.each(Object.entries(MODES))(
  '%s is packaged without network and without a finding',
  async (_mode, mode) => {
    const service = await sharedService(argumentsOf(mode));

    expect(service.output).toContain('Service packaged');
    expect(service.exitCode).toBe(0);
    expect(service.networkCalls).toBe('');
  },
);

test('settings that name no secret are packaged, with a role that reads none', async () => {
  const settings = path.join(await temporaryDirectory(), 'settings.json');
  await writeFile(settings, JSON.stringify(WITHOUT_SECRETS));
  const service = await packagedWith(argumentsOf({ stage: 'dev', settings, databaseMaxConnections: '100' }));

  expect(service.output).toContain('Service packaged');
  const { Policies } = propertiesOf(await templateOf(service), 'BrokerTaskRole');
  expect(actionsOf(Policies)).toEqual(['rds-db:connect']);
});

describe('refused with what to change is', () => {
  test('a route that lost its authoriser', async () => {
    const { exitCode, output } = await packagedWith([], (text) =>
      text.replace(/(alias\}\/query"), authorizer: "[^"]*"/, '$1'),
    );
    expect(output).toContain(
      'the route "POST /databases/{alias}/query" is open to everybody. Give its event in serverless.yml authorizer: { type: aws_iam }',
    );
    expect(exitCode).toBe(1);
  });

  test('each problem, once, before anything is resolved', async () => {
    const { exitCode, output } = await packagedWith(
      ['network=private', 'deployMaxPercent=none', 'egres=nat'].flatMap((param) => ['--param', param]),
    );
    expect(output.match(/^ *\w+: found .*$/gm)?.map((line) => line.trim())).toEqual([
      expect.stringMatching(/^egres: found an unknown parameter, allowed egress, .*\bvpcId\b/),
      'deployMaxPercent: found "none", allowed an integer of 101 to 200',
      'network: found "private", allowed new or own',
    ]);
    expect(exitCode).toBe(1);
  });

  test('more connections than the database bears, and a deployment that could never roll', async () => {
    const { exitCode, output } = await packagedWith([
      '--param',
      'maxTasks=10',
      '--param',
      'deployMaxPercent=150',
    ]);
    expect(
      output.match(/servers\..*: found 60, which gives each of 25 tasks .* Allowed at least 125/g),
    ).toHaveLength(1);
    expect(
      output.match(/deployMaxPercent: found 150, .* replace 1 running tasks: .* Allowed at least 200/g),
    ).toHaveLength(1);
    expect(exitCode).toBe(1);
  });

  test("a deployment with the example's host, before AWS is asked", async () => {
    const { exitCode, output, networkCalls } = await packagedWith([], undefined, 'deploy');
    expect(output.match(/settings: found databases\.default\.host .*stands in an example/g)).toHaveLength(1);
    expect(networkCalls).toBe('');
    expect(exitCode).toBe(1);
  });
});
