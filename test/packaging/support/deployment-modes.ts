import type { Template } from '../../../infra/deployment/template.ts';

const OWN_VPC = {
  network: 'own',
  vpcId: 'vpc-0a1b2c3d',
  subnetIds: 'subnet-0a1b2c3d,subnet-1a2b3c4d',
  databaseSecurityGroupId: 'sg-0a1b2c3d',
};
export const WITH_HTTPS = 'a VPC of yours, with HTTPS and settings in a secret';
const FROM_SECRET = {
  settingsSecret: 'conn-pool/settings',
  connectionsPerTask: '9',
  databaseMaxConnections: '60',
  drainTimeoutMs: '35000',
};
export const PROD = 'stage prod, with NAT and a load balancer';
/** The parameters of deployments that differ in all that parameters can change, by what they are. */
export const MODES = {
  'stage dev, in a VPC of its own': { stage: 'dev' },
  [PROD]: { stage: 'prod' },
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

/** For osls. */
export function argumentsOf({
  stage,
  ...parameters
}: {
  readonly stage: string;
  readonly [name: string]: string;
}) {
  return [
    '--stage',
    stage,
    ...Object.entries(parameters).flatMap(([name, value]) => ['--param', `${name}=${value}`]),
  ];
}

/** What one resource of a template is made with; fails if there is none. */
export function propertiesOf(template: Template, logicalId: string): Readonly<Record<string, unknown>> {
  const properties = template.Resources[logicalId]?.Properties;
  if (properties === undefined) throw new Error(`the template has no ${logicalId}`);
  return properties;
}
