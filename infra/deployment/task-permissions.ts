import type { Settings } from '../../lib/settings/settings.ts';
import { secretArn } from './secret-arn.ts';

interface Statement {
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly unknown[];
  readonly Condition?: object;
}

/** The secrets that the broker's task has to do with, and the database users that it logs in as by IAM. */
export interface TaskNeeds {
  readonly readSecrets: readonly string[];
  /** Whose passwords the broker changes. */
  readonly rotatedSecrets: readonly string[];
  readonly iamUsers: readonly string[];
  readonly kmsKeyArn: string | undefined;
}

/** Every secret that the settings name. */
export function needsOf({ databases, callers }: Settings): Omit<TaskNeeds, 'kmsKeyArn'> {
  const credentials = Object.values(databases).map((database) => database.credentials);
  const rotatedSecrets = credentials.flatMap((form) => ('secretId' in form ? [form.secretId] : []));
  const keys = Object.values(callers).flatMap(({ keySecret }) =>
    keySecret === undefined ? [] : [keySecret],
  );
  const iamUsers = credentials.flatMap((form) => ('iam' in form ? [form.iam.username] : []));
  return {
    readSecrets: unique([...rotatedSecrets, ...keys]),
    rotatedSecrets: unique(rotatedSecrets),
    iamUsers: unique(iamUsers),
  };
}

const ROTATION_ACTIONS = [
  'secretsmanager:DescribeSecret',
  'secretsmanager:PutSecretValue',
  'secretsmanager:UpdateSecretVersionStage',
];

/** What the role of the task allows: nothing beyond what these need. */
export function taskStatements({ readSecrets, rotatedSecrets, iamUsers, kmsKeyArn }: TaskNeeds): Statement[] {
  const statements: Statement[] = [];
  if (readSecrets.length > 0) {
    statements.push(allow(['secretsmanager:GetSecretValue'], readSecrets.map(secretArn)));
  }
  if (rotatedSecrets.length > 0) {
    statements.push(
      allow(ROTATION_ACTIONS, rotatedSecrets.map(secretArn)),
      allow(['secretsmanager:GetRandomPassword'], ['*']),
    );
  }
  if (kmsKeyArn !== undefined) {
    const viaSecretsManager = {
      StringEquals: { 'kms:ViaService': sub(`secretsmanager.\${AWS::Region}.\${AWS::URLSuffix}`) },
    };
    statements.push({
      ...allow(rotatedSecrets.length > 0 ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'], [
        kmsKeyArn,
      ]),
      Condition: viaSecretsManager,
    });
  }
  if (iamUsers.length > 0) {
    const users = iamUsers.map((user) =>
      sub(`arn:\${AWS::Partition}:rds-db:\${AWS::Region}:\${AWS::AccountId}:dbuser:*/${user}`),
    );
    statements.push(allow(['rds-db:connect'], users));
  }
  return statements;
}

function allow(Action: readonly string[], Resource: readonly unknown[]): Statement {
  return { Effect: 'Allow', Action, Resource };
}

function sub(template: string): unknown {
  return { 'Fn::Sub': template };
}

function unique(items: readonly string[]): string[] {
  return [...new Set(items)];
}

/** Whatever settings may need: of code that asks for more, no role knows. */
export const TASK_ACTIONS: readonly string[] = taskStatements({
  readSecrets: ['a'],
  rotatedSecrets: ['a'],
  iamUsers: ['a'],
  kmsKeyArn: 'arn:aws:kms:::key/a',
}).flatMap(({ Action }) => Action);
