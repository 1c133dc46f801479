import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type PlanOptions, planDeployment } from '../../../infra/deployment/plan.ts';
import { DeploymentError } from '../../../infra/deployment/problem.ts';
import { makeDirectory } from '../../support/project.ts';

const PARAMETERS = {
  settingsSecret: '',
  minTasks: 1,
  maxTasks: '2',
  deployMaxPercent: 200,
  network: 'new',
  egress: 'nat',
  ingress: 'cloudmap',
  brokerKeySecret: 'prod/key',
  adminKeySecret: 'prod/operator-key',
};
const CALLERS = {
  functions: { keySecret: 'prod/key', databases: ['*'], access: 'write' },
  operator: { keySecret: 'prod/operator-key', databases: ['*'], access: 'admin' },
};
const FROM_SECRET = {
  ...PARAMETERS,
  settings: 'unread.yaml',
  settingsSecret: 'conn-pool/settings',
  connectionsPerTask: '9',
  databaseMaxConnections: '60',
  drainTimeoutMs: '35000',
};
const ON = { host: 'db.internal', port: 3306, credentials: { secretId: 'prod/shop' } };

/** The plan for a settings file that holds this. */
async function planOf(
  { databases = { default: ON }, ...rest }: { readonly databases?: object; readonly [part: string]: unknown },
  parameters: Readonly<Record<string, unknown>> = {},
  options: PlanOptions = {},
) {
  const folder = await makeDirectory();
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'settings.json');
  await writeFile(file, JSON.stringify({ databases, callers: CALLERS, ...rest }));
  return await planDeployment({ ...PARAMETERS, settings: file, ...parameters }, options);
}

async function problemsOf(plan: Promise<unknown>): Promise<readonly string[]> {
  const refusal = await plan.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (refusal instanceof DeploymentError) return refusal.problems;
  throw new Error('it was not refused', { cause: refusal });
}

const servers = (maxConnections: number) => ({ servers: { 'db.internal:3306': { maxConnections } } });

test('settings that fit go to the task, with how many share the database and how long it may drain', async () => {
  const plan = await planOf({ ...servers(60), server: { drainTimeoutMs: 40_001 } });

  expect(plan).toMatchObject({ peakTasks: '6', stopTimeoutSeconds: 46, settingsVariable: 'BROKER_SETTINGS' });
  expect(JSON.parse(plan.settingsValue)).toMatchObject({ databases: { default: { host: 'db.internal' } } });
});

describe('the role of the task', () => {
  const ARN = 'arn:aws:secretsmanager:eu-west-1:1:secret:other-AbCdEf';
  const databases = { default: ON, other: { ...ON, credentials: { secretId: ARN } } };
  const named = (id: string) => ({ 'Fn::Sub': expect.stringContaining(`:secret:${id}-??????`) });

  test('reads the secrets that the settings name, and no others', async () => {
    const { taskStatements } = await planOf({ ...servers(60), databases }, { rotateBy: 'function' });
    expect(taskStatements).toEqual([
      {
        Effect: 'Allow',
        Action: ['secretsmanager:GetSecretValue'],
        Resource: [named('prod/shop'), ARN, named('prod/key'), named('prod/operator-key')],
      },
    ]);
  });

  test('changes only logins to databases where the broker rotates, and reads their master', async () => {
    const { taskStatements } = await planOf({ ...servers(60), databases }, { masterSecret: 'prod/master' });
    const [reads, changes] = taskStatements;
    expect(reads?.Resource).toContainEqual(named('prod/master'));
    expect(changes?.Action).toContain('secretsmanager:PutSecretValue');
    expect(changes?.Resource).toEqual([named('prod/shop'), ARN]);
  });

  test('logs in by IAM as the users that the settings name', async () => {
    const iam = { ...ON, credentials: { iam: { username: 'app' } } };
    const { taskStatements } = await planOf({ ...servers(60), databases: { default: iam } });
    expect(taskStatements.at(-1)).toEqual({
      Effect: 'Allow',
      Action: ['rds-db:connect'],
      Resource: [{ 'Fn::Sub': expect.stringMatching(/:dbuser:\*\/app$/) }],
    });
  });
});

describe('the budget of connections', () => {
  test('holds for a limited server as long as each task may open what its pool keeps', async () => {
    await expect(planOf(servers(60))).resolves.toBeDefined();
    expect(await problemsOf(planOf(servers(59)))).toEqual([
      'servers.db.internal:3306.maxConnections: found 59, which gives each of 6 tasks (4 that run while a deployment ' +
        'replaces maxTasks 2 at deployMaxPercent 200, 2 that still drain) 9 connections, but databases.default keeps ' +
        '10 open. Allowed at least 60; or lower pool.size, maxTasks or deployMaxPercent',
    ]);
  });

  test('counts the connections that stop statements, where it is known what the server bears', async () => {
    await expect(planOf(servers(60), { databaseMaxConnections: '66' })).resolves.toBeDefined();
    expect(await problemsOf(planOf(servers(60), { databaseMaxConnections: '65' }))).toEqual([
      expect.stringMatching(/66 in all\. Allowed at most 59 with databaseMaxConnections 65$/),
    ]);
  });

  test('needs to know what each server bears', async () => {
    expect(await problemsOf(planOf({}))).toEqual([
      expect.stringMatching(/^databaseMaxConnections: found nothing.*databases\.default.*State servers:/),
    ]);
  });

  test('without limits is the sum of all pools in all tasks', async () => {
    const pool = { size: 4, maxOverflow: 1 };
    const databases = { one: { ...ON, pool }, two: { ...ON, pool } };
    await expect(planOf({ databases }, { databaseMaxConnections: '66' })).resolves.toBeDefined();
    expect(await problemsOf(planOf({ databases }, { databaseMaxConnections: '65' }))).toEqual([
      expect.stringMatching(
        /open up to 66: each 10 for databases\.one, databases\.two, .*Allowed at least 66/,
      ),
    ]);
  });
});

describe('settings in a secret', () => {
  test('need what matters of them beside it', async () => {
    const { connectionsPerTask, drainTimeoutMs, ...rest } = FROM_SECRET;
    expect(await problemsOf(planDeployment(rest))).toEqual([
      'connectionsPerTask, drainTimeoutMs: found nothing, allowed a number with settingsSecret, which cannot be read here',
    ]);
  });

  test('go to the task as the id of the secret, which it may read with the others', async () => {
    const plan = await planDeployment({ ...FROM_SECRET, brokerSecrets: 'prod/shop,prod/key' });
    expect(plan).toMatchObject({
      settingsVariable: 'BROKER_SETTINGS_SECRET',
      settingsValue: 'conn-pool/settings',
    });
    expect(JSON.stringify(plan.taskStatements)).toMatch(/settings-\?.*prod\/shop-\?.*prod\/key-\?/);
  });

  test('have the same budget', async () => {
    expect(await problemsOf(planDeployment({ ...FROM_SECRET, connectionsPerTask: '10' }))).toEqual([
      expect.stringMatching(
        /^databaseMaxConnections: found 60, but 6 tasks .* open up to 66: .*lower .* to 9,/,
      ),
    ]);
  });
});

describe('refused is', () => {
  test('a VPC of yours of which ids are missing', async () => {
    const parameters = { network: 'own', vpcId: 'vpc-0a1b', subnetIds: 'subnet-0a1b' };
    expect(await problemsOf(planOf(servers(60), parameters))).toEqual([
      'databaseSecurityGroupId: found nothing, allowed an id, because network=own puts everything into a VPC of yours',
      'subnetIds: found 1 of them, allowed at least 2, because network=own puts everything into a VPC of yours',
    ]);
  });
});
