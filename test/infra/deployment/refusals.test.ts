import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { EXAMPLE_HOST } from '../../../infra/deployment/checks/fargate-checks.ts';
import { permissionProblems } from '../../../infra/deployment/checks/permission-checks.ts';
import { type PlanOptions, planDeployment } from '../../../infra/deployment/plan.ts';
import { DeploymentError } from '../../../infra/deployment/problem.ts';
import { makeDirectory, PROJECT } from '../../support/project.ts';

/** The parameters of serverless.yml for stage dev. */
let defaults: Readonly<Record<string, unknown>>;
beforeAll(async () => {
  const { params } = parse(await readFile(path.join(PROJECT, 'serverless.yml'), 'utf8'), {
    logLevel: 'silent',
  });
  const { imageTag: _, ...rest } = params.default;
  defaults = rest;
});

interface Case {
  /** The one database, beside host and credentials. */
  readonly database?: object;
  readonly callers?: object;
  /** More of the settings. */
  readonly more?: object;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly options?: PlanOptions;
}

const HASH = 'a'.repeat(64);
const SECRET_KEYS = {
  functions: { keySecret: 'conn-pool/functions-key', databases: ['*'], access: 'write' },
  operator: { keySecret: 'conn-pool/operator-key', databases: ['*'], access: 'admin' },
};
const HASHED_KEYS = {
  functions: { keySha256: HASH, databases: ['*'], access: 'read' },
  operator: { keySha256: 'b'.repeat(64), databases: ['*'], access: 'admin' },
};
const FROM_SECRET = {
  settingsSecret: 'conn-pool/settings',
  connectionsPerTask: '9',
  databaseMaxConnections: '60',
  drainTimeoutMs: '35000',
};
const IAM = { iam: { username: 'app' } };

async function planOf({ database, callers = SECRET_KEYS, more, parameters, options }: Case) {
  const folder = await makeDirectory();
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'settings.json');
  const base = {
    host: 'db.internal',
    pool: { size: 2, maxOverflow: 2 },
    credentials: { secretId: 'conn-pool/shop' },
  };
  await writeFile(
    file,
    JSON.stringify({ databases: { default: { ...base, ...database } }, callers, ...more }),
  );
  const values = { ...defaults, settings: file, databaseMaxConnections: 60, ...parameters };
  return await planDeployment(values, { given: Object.keys(parameters ?? {}), ...options });
}

const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:';

/** Every form that lib/settings/README.md has of logins, keys, TLS, servers and settings. */
const FORMS: Readonly<Record<string, Case>> = {
  'logins and keys in secrets': {},
  'secrets by their ARNs': {
    database: { credentials: { secretId: `${ARN}conn-pool/shop-AbCdEf` } },
    callers: {
      functions: { ...SECRET_KEYS.functions, keySecret: `${ARN}conn-pool/functions-key-AbCdEf` },
      operator: SECRET_KEYS.operator,
    },
  },
  'hashed keys': { callers: HASHED_KEYS },
  'logins by IAM and hashed keys: no secret at all': { database: { credentials: IAM }, callers: HASHED_KEYS },
  'logins by IAM, keys in secrets': { database: { credentials: IAM } },
  'TLS that verifies nothing': { database: { tls: 'skip-verify' } },
  'no TLS': { database: { tls: 'off' } },
  'a limited server': {
    database: { port: 3306 },
    more: { servers: { 'db.internal:3306': { maxConnections: 50 } } },
    parameters: { databaseMaxConnections: '' },
  },
  'another port': { database: { port: 3307 }, parameters: { databasePort: '3307' } },
  'a session, idempotency keys and other times': {
    database: { session: { timeZone: '+02:00', variables: { lock_wait_timeout: 10 } }, idempotency: {} },
    more: { server: { drainTimeoutMs: 40_000 }, secrets: { refreshIntervalMs: 60_000 } },
  },
  'settings in a secret, alone': { parameters: FROM_SECRET },
  'settings in a secret, beside others': {
    parameters: { ...FROM_SECRET, brokerSecrets: 'conn-pool/shop,conn-pool/functions-key', iamUsers: 'app' },
  },
  'a rotation by the function': { parameters: { rotateBy: 'function', masterSecret: 'conn-pool/master' } },
  'logins by IAM, with a KMS key': {
    database: { credentials: IAM },
    parameters: { secretsKmsKeyArn: 'arn:aws:kms:eu-west-1:123456789012:key/a' },
  },
};

test.each(Object.entries(FORMS))('%s: the role of the task is what the code needs', async (_form, form) => {
  const plan = await planOf(form);
  expect(plan.taskStatements.length).toBeGreaterThan(0);

  const policy = { PolicyDocument: { Statement: plan.taskStatements } };
  const role = { Type: 'AWS::IAM::Role', Properties: { Policies: [policy] } };
  const template = { Resources: { BrokerTaskRole: role } };
  const problems = await permissionProblems(template, path.join(PROJECT, 'lib'), plan);
  expect(problems.filter((problem) => problem.startsWith('BrokerTaskRole'))).toEqual([]);
});

const ON_FARGATE = 'on Fargate, where the image has no file of yours';
const EXAMPLE = `settings: found databases.default.host HOST, which stands in an example, allowed your database's host: --param settings=FILE`;

/** What cannot work, and the only line about it. */
const REFUSED: Readonly<Record<string, Case & { readonly line: string }>> = {
  'a login in a file': {
    database: { credentials: { file: 'shop.secret.json' } },
    line: `databases.default.credentials: found {file}, allowed {secretId} or {iam: {username}} ${ON_FARGATE}`,
  },
  'the same of several databases': {
    more: {
      databases: Object.fromEntries(
        ['one', 'two', 'three'].map((alias) => [
          alias,
          { host: 'db.internal', pool: { size: 1, maxOverflow: 0 }, credentials: { file: 'x.json' } },
        ]),
      ),
    },
    line: `databases.one.credentials, databases.two.credentials, databases.three.credentials: found {file}, allowed {secretId} or {iam: {username}} ${ON_FARGATE}`,
  },
  'CAs in a file': {
    database: { tls: { ca: 'ca.pem', serverName: 'db' } },
    line: `databases.default.tls: found {ca}, allowed verify, skip-verify or off ${ON_FARGATE}`,
  },
  'a certificate of the broker': {
    more: { server: { tls: { cert: 'cert.pem', key: 'key.pem' } } },
    line: `server.tls: found files, allowed nothing ${ON_FARGATE}; HTTPS comes with ingress=alb and certificateArn`,
  },
  'a password': {
    database: { credentials: { username: 'app', password: 'x' } },
    line: 'databases.default.credentials.password: found a password, allowed in BROKER_SETTINGS: secretId or file only',
  },
  'a broker that everybody may call': {
    callers: {},
    more: { allowAnonymous: true },
    line: 'allowAnonymous: found true, allowed only with HOST a loopback address like 127.0.0.1',
  },
  'a port that tasks may not connect to': {
    database: { port: 3307 },
    line: 'databasePort: found 3306, but databases.default.port is 3307, allowed one port, of all databases: --param databasePort=3307',
  },
  'a port that IAM does not use': {
    database: { credentials: IAM },
    parameters: { databasePort: 3307 },
    line: 'databasePort: found 3307, but databases.default.port is 3306, allowed one port, of all databases: --param databasePort=3306',
  },
  "a functions' key that no caller has": {
    parameters: { brokerKeySecret: 'conn-pool/other' },
    line: 'brokerKeySecret: found conn-pool/other, which is the keySecret of no caller in the settings, allowed one that is: the functions ask with this key',
  },
  'an admin key of a caller that is none': {
    callers: { ...SECRET_KEYS, operator: { ...SECRET_KEYS.operator, access: 'write' } },
    line: 'adminKeySecret: found conn-pool/operator-key, which is the keySecret of no caller with access admin in the settings, allowed one that is: the functions of rotations ask with this key',
  },
  'a drain that Fargate would cut off': {
    more: { server: { drainTimeoutMs: 115_001 } },
    line: 'server.drainTimeoutMs: found 115001, allowed at most 115000: Fargate kills a task 120 s after it told it to stop',
  },
  'a name with a letter too few': {
    parameters: { egres: 'nat' },
    line: expect.stringMatching(/^egres: found an unknown parameter, allowed egress, .*\bvpcId\b/),
  },
  'a name with a letter more': {
    parameters: { settingss: 'x.yaml' },
    line: expect.stringMatching(/^settingss: found an unknown parameter, allowed settings, settingsSecret, /),
  },
  'a network that is none': {
    parameters: { network: 'private' },
    line: 'network: found "private", allowed new or own',
  },
  'an egress that is none': {
    parameters: { egress: 'none' },
    line: 'egress: found "none", allowed public-ip or nat',
  },
  'an ingress that is none': {
    parameters: { ingress: 'nlb' },
    line: 'ingress: found "nlb", allowed cloudmap or alb',
  },
  'a way of rotating that is none': {
    parameters: { rotateBy: 'lambda' },
    line: 'rotateBy: found "lambda", allowed broker or function',
  },
  'a number that is none': {
    parameters: { maxTasks: 'two' },
    line: 'maxTasks: found "two", allowed an integer of 1 to 100',
  },
  'a VPC without network=own': {
    parameters: { vpcId: 'vpc-0a1b' },
    line: 'vpcId: found an id, allowed only with network=own; network=new makes its own',
  },
  'network=own without ids': {
    parameters: { network: 'own', subnetIds: 'subnet-0a1b,subnet-0a1c' },
    line: 'vpcId, databaseSecurityGroupId: found nothing, allowed an id, because network=own puts everything into a VPC of yours',
  },
  'a certificate without a name': {
    parameters: { certificateArn: 'arn:aws:acm:eu-west-1:1:certificate/a', ingress: 'alb' },
    line: 'certificateArn: found one, allowed only with ingress=alb and domainName, the name that it is for',
  },
  'a name without a certificate': {
    parameters: { domainName: 'broker.example.com' },
    line: 'domainName: found one, allowed only with certificateArn, which is for that name',
  },
  'a size that Fargate does not have': {
    parameters: { taskCpu: 512, taskMemory: 512 },
    line: 'taskMemory: found 512, allowed with taskCpu 512 on Fargate: 1024 to 4096 in steps of 1024',
  },
  'a CPU that Fargate does not have': {
    parameters: { taskCpu: 300 },
    line: 'taskCpu: found 300, allowed one of 256, 512, 1024, 2048, 4096, 8192, 16384',
  },
  'days for which CloudWatch keeps no logs': {
    parameters: { logRetentionDays: 15 },
    line: expect.stringMatching(/^logRetentionDays: found 15, allowed one of 1, 3, 5, 7, 14, /),
  },
  'settings that are not there': {
    parameters: { settings: 'nowhere.yaml' },
    line: 'settings: found no readable file at nowhere.yaml, allowed the path of a settings file',
  },
  'a secret of settings, and nothing of what it holds': {
    parameters: { ...FROM_SECRET, connectionsPerTask: '', drainTimeoutMs: '' },
    line: 'connectionsPerTask, drainTimeoutMs: found nothing, allowed a number with settingsSecret, which cannot be read here',
  },
  "the example's host, deployed": {
    database: { host: EXAMPLE_HOST },
    options: { isDeployed: true },
    line: EXAMPLE.replace('HOST', EXAMPLE_HOST),
  },
  'a host that leads nowhere, deployed': {
    database: { host: 'db.example.com' },
    options: { isDeployed: true },
    line: EXAMPLE.replace('HOST', 'db.example.com'),
  },
};

test.each(Object.entries(REFUSED))('%s is refused in one line', async (_name, { line, ...form }) => {
  const refusal: unknown = await planOf(form).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(refusal).toBeInstanceOf(DeploymentError);
  expect(refusal).toHaveProperty('problems', [line]);
});

describe('the example', () => {
  const settings = path.join(PROJECT, 'infra/examples/settings.yaml');

  test('has the host that is refused when it is deployed, and is packaged as it is', async () => {
    expect(parse(await readFile(settings, 'utf8')).databases.default.host).toBe(EXAMPLE_HOST);
    await expect(planDeployment({ ...defaults, settings })).resolves.toBeDefined();
  });
});

test('all that is wrong is told at once', async () => {
  const refusal: unknown = await planOf({
    database: { credentials: { file: 'x' }, pool: { size: 0 } },
    parameters: { egres: 'nat', vpcId: 'vpc-0a1b' },
  }).catch((error: unknown) => error);
  expect(refusal).toHaveProperty('problems', [
    expect.stringMatching(/^egres: /),
    expect.stringMatching(/^vpcId: /),
    expect.stringMatching(/^databases\.default\.pool\.size: /),
    expect.stringMatching(/^databases\.default\.credentials: /),
  ]);
});
