import { beforeAll, describe, expect, test, vi } from 'vitest';
import { resourcesOf, type Template } from '../../infra/deployment/template.ts';
import { templateOf } from '../support/packages/service.ts';
import { sharedService } from '../support/packages/shared-packages.ts';
import { argumentsOf, MODES, PROD, propertiesOf, WITH_HTTPS } from './support/deployment-modes.ts';

/** The validator alone takes seconds, and many on a machine that is busy. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describe('with a VPC and a KMS key of yours, HTTPS and a rotation by the function', () => {
  let template: Template;

  beforeAll(async () => {
    template = await templateOf(await sharedService(argumentsOf(MODES[WITH_HTTPS])));
  });

  test('the endpoint to Secrets Manager shuts nobody out whose traffic it draws', () => {
    expect(propertiesOf(template, 'SecretsEndpoint').PrivateDnsEnabled).toBe(true);
    const { SecurityGroupIngress } = propertiesOf(template, 'SecretsEndpointSecurityGroup');
    expect(SecurityGroupIngress).toEqual([
      { IpProtocol: 'tcp', FromPort: 443, ToPort: 443, CidrIp: '0.0.0.0/0' },
    ]);
  });

  test('every role that reads secrets may decrypt them', () => {
    expect(JSON.stringify(propertiesOf(template, 'BrokerTaskRole'))).toContain('kms:Decrypt');
    expect(propertiesOf(template, 'FunctionsDecryptSecrets')).toMatchObject({
      Roles: ['SqlFunctionRole', 'OperatorFunctionRole', 'RotateSecretRole'].map((Ref) => ({ Ref })),
      PolicyDocument: {
        Statement: [{ Action: 'kms:Decrypt', Resource: MODES[WITH_HTTPS].secretsKmsKeyArn }],
      },
    });
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

  beforeAll(async () => {
    template = await templateOf(await sharedService(argumentsOf(MODES[PROD])));
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
});
