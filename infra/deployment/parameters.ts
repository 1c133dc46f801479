import * as z from 'zod';
import { nearestFirst } from '../../lib/settings/fields.ts';
import { MYSQL_PORT } from '../../lib/settings/servers.ts';
import { TASK_CPUS } from './fargate-size.ts';
import { refuse } from './problem.ts';

const whole = (min: number, max: number) => {
  const allowed = `an integer of ${min} to ${max}`;
  return z.coerce.number(allowed).int(allowed).min(min, allowed).max(max, allowed);
};
/** On the command line nothing can be given as nothing: an empty text stands for it. */
const optional = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => (value === '' || value === null ? undefined : value), schema.optional());
const text = (pattern: RegExp, allowed: string) => z.string(allowed).regex(pattern, allowed);
const list = (item: RegExp, allowed: string) =>
  z
    .string(allowed)
    .transform((value) => value.split(',').filter((one) => one !== ''))
    .refine((items) => items.every((one) => item.test(one)), allowed);
/** A number on the command line is a text. */
const oneOf = (values: readonly string[]) =>
  z.coerce.string().refine((value) => values.includes(value), `one of ${values.join(', ')}`);

const SECRET = /^[\w/+=.@:!-]{1,2048}$/;
const secret = text(SECRET, 'the name or the ARN of a secret');
const secrets = list(SECRET, 'names or ARNs of secrets, separated by commas').default([]);
/** What CloudWatch keeps logs for. */
const RETENTION_DAYS =
  '1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653'.split(' ');

/** What serverless.yml's `params` may be. */
const Parameters = z.object({
  settings: z.string('the path of a settings file'),
  settingsSecret: optional(secret),
  brokerSecrets: secrets,
  iamUsers: list(/^[\w.-]{1,32}$/, 'names of database users, separated by commas').default([]),
  masterSecret: optional(secret),
  rotateBy: z.enum(['broker', 'function'], 'broker or function').default('broker'),
  rotatedSecretArn: optional(text(/^arn:[\w-]+:secretsmanager:/, 'the ARN of a secret')),
  rotationSchedule: text(/^(cron|rate)\(.+\)$/, 'cron(...) or rate(...)').default('rate(30 days)'),
  brokerKeySecret: secret.default('conn-pool/functions-key'),
  adminKeySecret: secret.default('conn-pool/operator-key'),
  connectionsPerTask: optional(whole(1, 100_000)),
  databaseMaxConnections: optional(whole(1, 100_000)),
  drainTimeoutMs: optional(whole(1, 115_000)),
  minTasks: whole(1, 100),
  maxTasks: whole(1, 100),
  deployMaxPercent: whole(101, 200),
  network: z.enum(['new', 'own'], 'new or own'),
  vpcId: optional(text(/^vpc-[0-9a-f]+$/, 'the id of a VPC: vpc-...')),
  subnetIds: list(/^subnet-[0-9a-f]+$/, 'ids of subnets, separated by commas: subnet-...').default([]),
  databaseSecurityGroupId: optional(text(/^sg-[0-9a-f]+$/, 'the id of a security group: sg-...')),
  databasePort: whole(1, 65_535).default(MYSQL_PORT),
  egress: z.enum(['public-ip', 'nat'], 'public-ip or nat'),
  ingress: z.enum(['cloudmap', 'alb'], 'cloudmap or alb'),
  certificateArn: optional(text(/^arn:[\w-]+:acm:/, 'the ARN of a certificate of ACM')),
  domainName: optional(text(/^[a-z0-9.-]+$/, 'the domain name that the certificate is for')),
  secretsKmsKeyArn: optional(text(/^arn:[\w-]+:kms:/, 'the ARN of a KMS key')),
  repository: text(/^[a-z0-9]+([._/-][a-z0-9]+)*$/, 'the name of an ECR repository').default(
    'serverless-conn-pool',
  ),
  imageTag: text(/^\w[\w.-]{0,127}$/, 'the tag of an image').default('latest'),
  taskCpu: oneOf(TASK_CPUS).default('256'),
  taskMemory: whole(512, 122_880).default(512),
  logRetentionDays: oneOf(RETENTION_DAYS).default('14'),
  alarmTopicArn: optional(text(/^arn:[\w-]+:sns:/, 'the ARN of an SNS topic')),
  /** Only of `npm start`. */
  brokerUrl: optional(text(/^https?:\/\//, 'an http or https URL')),
});
export type Parameters = z.infer<typeof Parameters>;

const PARAMETER_NAMES = Object.keys(Parameters.shape);

/** @throws {DeploymentError} with a line for each problem. */
export function parseParameters(values: Readonly<Record<string, unknown>>): Parameters {
  const parsed = Parameters.safeParse(values);
  if (parsed.success) return parsed.data;
  refuse(
    parsed.error.issues.map(({ path, message }) => {
      const name = String(path[0]);
      const found = values[name] === undefined ? 'nothing' : JSON.stringify(values[name]);
      return `${name}: found ${found}, allowed ${message}`;
    }),
  );
  throw parsed.error;
}

/**
 * A name that nothing asks for was meant to be another one: all that there are, nearest first.
 *
 * @param declared Names that serverless.yml has beside those of here.
 */
export function nameProblems(given: readonly string[], declared: readonly string[]): string[] {
  const known = [...new Set([...PARAMETER_NAMES, ...declared])];
  return given
    .filter((name) => !known.includes(name))
    .map((name) => `${name}: found an unknown parameter, allowed ${nearestFirst(name, known).join(', ')}`);
}
