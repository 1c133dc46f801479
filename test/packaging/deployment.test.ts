import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { checkTemplate } from '../../infra/deployment/checks/check-template.ts';
import { planDeployment } from '../../infra/deployment/plan.ts';
import { resourcesOf, type Template } from '../../infra/deployment/template.ts';
import { packageService, templateOf } from '../support/packages/service.ts';
import { PROJECT, temporaryDirectory } from '../support/project.ts';
import { namesIn, readmeOf, sectionOf } from './support/readme.ts';

/** The validator alone takes seconds, and many on a machine that is busy. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const LIB = path.join(PROJECT, 'lib');
const OWN_VPC = {
  network: 'own',
  vpcId: 'vpc-0a1b2c3d',
  subnetIds: 'subnet-0a1b2c3d,subnet-1a2b3c4d',
  databaseSecurityGroupId: 'sg-0a1b2c3d',
};
const WITH_HTTPS = 'a VPC of yours, with HTTPS and settings in a secret';
const FROM_SECRET = {
  settingsSecret: 'conn-pool/settings',
  connectionsPerTask: '9',
  databaseMaxConnections: '60',
  drainTimeoutMs: '35000',
};
const MODES = {
  'stage dev, in a VPC of its own': { stage: 'dev' },
  'stage prod, with NAT and a load balancer': { stage: 'prod' },
  'a VPC of yours, by Cloud Map alone, with settings in a secret and nothing beside them': {
    stage: 'prod',
    ...OWN_VPC,
    ingress: 'cloudmap',
    ...FROM_SECRET,
    databaseMaxConnections: '100',
  },
  [WITH_HTTPS]: {
    stage: 'dev',
    ...OWN_VPC,
    ingress: 'alb',
    certificateArn: 'arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d',
    domainName: 'broker.example.com',
    ...FROM_SECRET,
    brokerSecrets: 'conn-pool/shop',
    rotateBy: 'function',
    masterSecret: 'conn-pool/master',
    rotatedSecretArn: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:conn-pool/shop-AbCdEf',
    secretsKmsKeyArn: 'arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d',
    alarmTopicArn: 'arn:aws:sns:eu-west-1:123456789012:alarms',
  },
};

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

function argumentsOf({ stage, ...parameters }: { readonly stage: string; readonly [name: string]: string }) {
  return [
    '--stage',
    stage,
    ...Object.entries(parameters).flatMap(([name, value]) => ['--param', `${name}=${value}`]),
  ];
}

async function packagedWith(...args: Parameters<typeof packageService>) {
  const service = await packageService(...args);
  onTestFinished(() => rm(service.folder, { recursive: true }));
  return service;
}

/** What one resource of a template is made with; fails if there is none. */
function propertiesOf(template: Template, logicalId: string): Readonly<Record<string, unknown>> {
  const properties = template.Resources[logicalId]?.Properties;
  if (properties === undefined) throw new Error(`the template has no ${logicalId}`);
  return properties;
}

/** Of the policies of a role. */
function actionsOf(policies: unknown): string[] {
  return [...JSON.stringify(policies).matchAll(/"([a-z-]+:[A-Za-z]+)"/g)].map(([, action = '']) => action);
}

test('with a KMS key of yours every role that reads secrets may decrypt them', async () => {
  const key = 'arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d';
  const service = await packagedWith(['--param', `secretsKmsKeyArn=${key}`]);
  const template = await templateOf(service);

  expect(JSON.stringify(propertiesOf(template, 'BrokerTaskRole'))).toContain('kms:Decrypt');
  expect(propertiesOf(template, 'FunctionsDecryptSecrets')).toMatchObject({
    Roles: ['SqlFunctionRole', 'OperatorFunctionRole', 'RotateSecretRole'].map((Ref) => ({ Ref })),
    PolicyDocument: { Statement: [{ Action: 'kms:Decrypt', Resource: key }] },
  });
});

test('the endpoint to Secrets Manager shuts nobody out whose traffic it draws', async () => {
  const template = await templateOf(await packagedWith(argumentsOf({ stage: 'dev', ...OWN_VPC })));

  expect(propertiesOf(template, 'SecretsEndpoint').PrivateDnsEnabled).toBe(true);
  const { SecurityGroupIngress } = propertiesOf(template, 'SecretsEndpointSecurityGroup');
  expect(SecurityGroupIngress).toEqual([
    { IpProtocol: 'tcp', FromPort: 443, ToPort: 443, CidrIp: '0.0.0.0/0' },
  ]);
});

test.each(Object.entries(MODES))(
  '%s is packaged without network and without a finding',
  async (_mode, mode) => {
    const service = await packagedWith(argumentsOf(mode));

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

describe('with HTTPS and a rotation by the function', () => {
  let template: Template;

  beforeAll(async () => {
    const service = await packageService(argumentsOf(MODES[WITH_HTTPS]));
    template = await templateOf(service);
    await rm(service.folder, { recursive: true });
  });

  test('no function sends the admin key in clear', () => {
    const withKey = resourcesOf(template, 'AWS::Lambda::Function')
      .map(([logicalId, { Properties }]) => ({
        logicalId,
        variables: JSON.stringify(Properties?.Environment),
      }))
      .filter(({ variables }) => variables.includes('conn-pool/operator-key'));

    expect(withKey.map(({ logicalId }) => logicalId)).toEqual(['CredentialsDashrotatedLambdaFunction']);
    const { Environment } = propertiesOf(template, 'CredentialsDashrotatedLambdaFunction');
    expect(Environment).toMatchObject({
      Variables: {
        BROKER_URL: { 'Fn::If': ['WithCertificate', 'https://broker.example.com', expect.anything()] },
      },
    });
  });

  test('the function that rotates reads no key, and no other function reaches the database', () => {
    expect(template.Resources.RotateByBroker?.Condition).toBe('BrokerRotates');
    expect(JSON.stringify(propertiesOf(template, 'RotateSecretRole'))).not.toContain('secretsmanager');
    const toDatabase = JSON.stringify(propertiesOf(template, 'RotationSecurityGroup').SecurityGroupEgress);
    expect(toDatabase).toContain('"FromPort":3306');
    const groups = resourcesOf(template, 'AWS::Lambda::Function')
      .filter(([, { Properties }]) => JSON.stringify(Properties?.VpcConfig).includes('RotationSecurityGroup'))
      .map(([logicalId]) => logicalId);
    expect(groups).toEqual(['RotateDashsecretLambdaFunction']);
    const openings = resourcesOf(template, 'AWS::EC2::SecurityGroupEgress').filter(
      ([, { Properties }]) =>
        JSON.stringify(Properties?.GroupId).includes('FunctionSecurityGroup') &&
        Properties?.FromPort === 3306,
    );
    expect(openings).toEqual([]);
  });
});

describe('the template of stage prod', () => {
  let template: Template;
  /** Of the settings that the template is made from. */
  let plan: Awaited<ReturnType<typeof planDeployment>>;

  beforeAll(async () => {
    const serverlessYml = await readFile(path.join(PROJECT, 'serverless.yml'), 'utf8');
    const { params } = parse(serverlessYml, { logLevel: 'silent' });
    const settings = path.join(PROJECT, params.default.settings);
    plan = await planDeployment({ ...params.default, ...params.prod, settings, imageTag: '1' });
    const service = await packageService(['--stage', 'prod']);
    template = await templateOf(service);
    await rm(service.folder, { recursive: true });
  });

  function containerOf(): Readonly<Record<string, unknown>> {
    const { ContainerDefinitions } = propertiesOf(template, 'BrokerTask');
    return Array.isArray(ContainerDefinitions) ? ContainerDefinitions[0] : {};
  }

  test('every HTTP route is behind IAM authorization', () => {
    const routes = resourcesOf(template, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => Properties);

    expect(routes.map((route) => route?.RouteKey)).toContain('POST /databases/{alias}/query');
    expect(routes.map((route) => route?.AuthorizationType)).toEqual(routes.map(() => 'AWS_IAM'));
  });

  test('a task knows its settings and how many share the database, but no password', () => {
    const { Environment } = containerOf();

    expect(Environment).toContainEqual({ Name: 'BROKER_PEAK_TASKS', Value: '10' });
    expect(JSON.stringify(Environment)).toContain('conn-pool/shop');
    expect(JSON.stringify(Environment)).not.toMatch(/password/i);
  });

  test('a container runs as nobody special on a file system that it cannot write, and may drain to its end', () => {
    expect(containerOf()).toMatchObject({
      User: '1000',
      ReadonlyRootFilesystem: true,
      LinuxParameters: { InitProcessEnabled: true, Capabilities: { Drop: ['ALL'] } },
      StopTimeout: 40,
    });
  });

  test.each(['BrokerExecutionRole', 'BrokerTaskRole'])(
    '%s is assumed for tasks of this account alone',
    (role) => {
      expect(propertiesOf(template, role).AssumeRolePolicyDocument).toMatchObject({
        Statement: [{ Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } } }],
      });
    },
  );

  test('a failed deployment is rolled back, and nothing starts tasks beyond the budget', () => {
    expect(propertiesOf(template, 'BrokerService')).toMatchObject({
      AvailabilityZoneRebalancing: 'DISABLED',
      DeploymentConfiguration: {
        MinimumHealthyPercent: 100,
        MaximumPercent: 150,
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      },
    });
  });

  test('the first task starts when there is a way to its image, and a listener before it', () => {
    const wayOut = ['PrivateDefaultRoute', 'PrivateRoutesA', 'PrivateRoutesB'];
    expect(template.Resources.BrokerService?.DependsOn).toEqual([...wayOut, 'BalancerListener']);
  });

  test('an outage of the databases makes no task unhealthy', () => {
    expect(propertiesOf(template, 'BalancerTargets').HealthCheckPath).toBe('/healthz');
    expect(JSON.stringify(containerOf().HealthCheck)).toContain('/healthz');
  });

  test('the functions may read the secret of their key, and none whose name only begins like it', () => {
    const { Policies } = propertiesOf(template, 'SqlFunctionRole');
    expect(JSON.stringify(Policies)).toMatch(/:secret:conn-pool\/functions-key-\?{6}"/);
    expect(JSON.stringify(Policies)).not.toContain('operator');
  });

  test('scaling and alarms stand on metrics that the broker writes', () => {
    const text = JSON.stringify(template.Resources);
    const names = [...text.matchAll(/"MetricName":"(broker_\w+)"/g)].map(([, name]) => name);
    expect(names.sort()).toEqual([
      'broker_logins_refused_total',
      'broker_pool_busy_ratio',
      'broker_pool_waiting',
      'broker_server_errors_total',
    ]);
  });

  describe('and infra/README.md', () => {
    let readme: string;
    beforeAll(async () => {
      readme = await readmeOf('infra');
    });

    test('name the same alarms', () => {
      const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm').map(([logicalId]) => logicalId);

      expect(namesIn(sectionOf(readme, '### Alarms'), /^\| `(\w+)` +\|/gm)).toEqual(alarms.sort());
    });

    test('name the same outputs', () => {
      const named = namesIn(readme, /(?:`|-|:)([A-Z][A-Za-z]+(?:Url|Arn|Ids?))(?![a-z=])/g);

      expect(named).toContain('RotationFunctionArn');
      expect(Object.keys(template.Outputs ?? {})).toEqual(expect.arrayContaining(named));
    });

    test('name the same parameters', async () => {
      const text = await readFile(path.join(PROJECT, 'serverless.yml'), 'utf8');
      const { params } = parse(text, { logLevel: 'silent' });
      const named = namesIn(
        readme,
        /(?:`|--param )([a-z]+[A-Z]\w*|settings|network|egress|ingress|repository)(?:`|=)/g,
      );

      expect(Object.keys(params.default).filter((name) => !named.includes(name))).toEqual([]);

      const cells = namesIn(sectionOf(readme, '## Parameters'), /^\| (`\w[^|]*`) +\|/gm);
      const table = cells.flatMap((cell) => namesIn(cell, /`(\w+)`/g));
      expect(table).toContain('minTasks');
      expect(Object.keys(params.default)).toEqual(expect.arrayContaining(table));
    });
  });

  /** The template with another value in the place of one. */
  function withFault(fault: (properties: Record<string, unknown>) => void, logicalId: string): Template {
    const properties = { ...propertiesOf(template, logicalId) };
    fault(properties);
    const resource = { Type: template.Resources[logicalId]?.Type ?? '', Properties: properties };
    return { ...template, Resources: { ...template.Resources, [logicalId]: resource } };
  }

  test('a wrong property is refused with the right one', async () => {
    const faulty = withFault(
      (properties) => Object.assign(properties, { DesiredCounts: 2 }),
      'BrokerService',
    );
    await expect(checkTemplate(faulty, LIB, plan)).rejects.toThrow(/BrokerService: .*DesiredCount/);
  });

  test('a permission that the code needs and the role lacks is refused with its name', async () => {
    const faulty = withFault((properties) => Object.assign(properties, { Policies: [] }), 'BrokerTaskRole');
    await expect(checkTemplate(faulty, LIB, plan)).rejects.toThrow(
      /BrokerTaskRole: .*secrets-\w+\.ts calls secretsmanager:GetSecretValue, which it does not allow\. Add it to infra\/deployment\/task-permissions\.ts/,
    );
  });

  test('a permission that no code asks for is refused', async () => {
    const statement = { Effect: 'Allow', Action: 'secretsmanager:DeleteSecret', Resource: '*' };
    const policy = { PolicyName: 'more', PolicyDocument: { Version: '2012-10-17', Statement: [statement] } };
    const faulty = withFault(
      (properties) => Object.assign(properties, { Policies: [...[properties.Policies].flat(), policy] }),
      'SqlFunctionRole',
    );
    await expect(checkTemplate(faulty, LIB, plan)).rejects.toThrow(
      'SqlFunctionRole: allows secretsmanager:DeleteSecret, which no code asks for.',
    );
  });
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
