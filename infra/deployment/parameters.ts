import * as z from 'zod';
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

const SECRET = /^[\w/+=.@:!-]{1,2048}$/;
const secrets = list(SECRET, 'names or ARNs of secrets, separated by commas').default([]);

/** What of serverless.yml's `params` is checked and calculated with here. */
const Parameters = z.object({
  settings: z.string('the path of a settings file'),
  settingsSecret: optional(text(SECRET, 'the name or the ARN of a secret')),
  brokerSecrets: secrets,
  masterSecret: optional(text(SECRET, 'the name or the ARN of a secret')),
  rotateBy: z.enum(['broker', 'function'], 'broker or function').default('broker'),
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
  egress: z.enum(['public-ip', 'nat'], 'public-ip or nat'),
  ingress: z.enum(['cloudmap', 'alb'], 'cloudmap or alb'),
  certificateArn: optional(text(/^arn:[\w-]+:acm:/, 'the ARN of a certificate of ACM')),
  domainName: optional(text(/^[a-z0-9.-]+$/, 'the domain name that the certificate is for')),
  secretsKmsKeyArn: optional(text(/^arn:[\w-]+:kms:/, 'the ARN of a KMS key')),
});
export type Parameters = z.infer<typeof Parameters>;

export const PARAMETER_NAMES = Object.keys(Parameters.shape);

/** @throws {DeploymentError} with a line for each problem. */
export function parseParameters(values: Readonly<Record<string, unknown>>): Parameters {
  const parsed = Parameters.safeParse(values);
  if (!parsed.success) {
    refuse(
      parsed.error.issues.map(({ path, message }) => {
        const name = String(path[0]);
        return `${name}: found ${JSON.stringify(values[name])}, allowed ${message}`;
      }),
    );
    throw parsed.error;
  }
  refuse(contradictions(parsed.data));
  return parsed.data;
}

function contradictions(parameters: Parameters): string[] {
  const { network, vpcId, subnetIds, databaseSecurityGroupId, certificateArn, domainName } = parameters;
  const own = { vpcId, subnetIds: subnetIds.length < 2 ? undefined : subnetIds, databaseSecurityGroupId };
  const missing = Object.entries(own).filter(([, value]) => value === undefined);
  const isGiven = Object.entries({ vpcId, subnetIds: subnetIds[0], databaseSecurityGroupId }).filter(
    ([, value]) => value !== undefined,
  );
  return [
    ...(network === 'own' ? missing : []).map(
      ([name]) =>
        `${name}: found ${name === 'subnetIds' ? `${subnetIds.length} of them, allowed at least 2` : 'nothing, allowed an id'}, because network=own puts everything into a VPC of yours`,
    ),
    ...(network === 'new' ? isGiven : []).map(
      ([name]) => `${name}: found an id, allowed only with network=own; network=new makes its own`,
    ),
    ...(certificateArn !== undefined && (domainName === undefined || parameters.ingress !== 'alb')
      ? ['certificateArn: found one, allowed only with ingress=alb and domainName, the name that it is for']
      : []),
  ];
}
