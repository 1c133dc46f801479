import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../../lib/errors.ts';
import { TASK_ACTIONS } from '../task-permissions.ts';
import { type Resource, resourcesOf, type Template } from '../template.ts';
import { actionsOfCode } from './aws-calls.ts';

/** What the broker's code is to do, by settings and parameters. */
export interface TaskDuties {
  /** What these settings need of the role of the task. */
  readonly taskStatements: readonly { readonly Action: readonly string[] }[];
  /** Who changes passwords. */
  readonly rotateBy: 'broker' | 'function';
}

interface RolesCode {
  readonly role: string;
  /** Which files of lib/ run with the role. */
  readonly isMeant: (file: string) => boolean;
  /** Where its permissions stand. */
  readonly place: string;
}

/** The only code that writes secrets. */
const ROTATION_STORE = 'aws/secrets-rotation.ts';
/** The code that runs in functions with SQL access. */
const CLIENT = 'client';

const TASK_ROLE = 'BrokerTaskRole';

const rolesOf = (rotateBy: TaskDuties['rotateBy']): readonly RolesCode[] => [
  {
    role: TASK_ROLE,
    isMeant: (file) => !file.startsWith(CLIENT) && (rotateBy === 'broker' || !file.endsWith(ROTATION_STORE)),
    place: 'infra/deployment/task-permissions.ts',
  },
  ...['SqlFunctionRole', 'OperatorFunctionRole'].map((role) => ({
    role,
    isMeant: (file: string) => file.startsWith(CLIENT),
    place: 'infra/cloudformation/function-roles.yml',
  })),
];

/** What a call needs that nothing in the code shows. */
const IMPLIED: Readonly<Record<string, string>> = {
  'kms:Decrypt': 'secretsmanager:GetSecretValue',
  'kms:GenerateDataKey': 'secretsmanager:PutSecretValue',
};

/**
 * Roles of which a call is not allowed, or that allow what no code asks for. Of the calls that only some settings bring
 * about, the broker's role must allow those that these settings do.
 */
export async function permissionProblems(
  template: Template,
  libFolder: string,
  { taskStatements, rotateBy }: TaskDuties,
): Promise<string[]> {
  for (const path of [ROTATION_STORE, CLIENT]) {
    assert(existsSync(join(libFolder, path)), `${path} is not in lib: the check of permissions names it`);
  }
  const taskActions = taskStatements.flatMap(({ Action }) => Action);
  const problems = await Promise.all(
    rolesOf(rotateBy).map(async ({ role, isMeant, place }) => {
      const needed = await actionsOfCode(libFolder, isMeant);
      const allowed = allowedActions(template, role);
      const isDispensable = (action: string) =>
        role === TASK_ROLE && TASK_ACTIONS.includes(action) && !taskActions.includes(action);
      const missing = [...needed].filter(([action]) => !allowed.includes(action) && !isDispensable(action));
      const unused = allowed.filter((action) => !needed.has(IMPLIED[action] ?? action));
      return [
        ...missing.map(
          ([action, file]) => `${role}: ${file} calls ${action}, which it does not allow. Add it to ${place}`,
        ),
        ...unused.map(
          (action) => `${role}: allows ${action}, which no code asks for. Take it out of ${place}`,
        ),
      ];
    }),
  );
  return problems.flat();
}

/** By the role's own policies. */
function allowedActions(template: Template, role: string): string[] {
  const resource = resourcesOf(template, 'AWS::IAM::Role').find(([logicalId]) => logicalId === role)?.[1];
  return policiesOf(resource).flatMap(({ PolicyDocument }) =>
    PolicyDocument.Statement.flatMap(({ Action }) => Action),
  );
}

interface Policy {
  readonly PolicyDocument: { readonly Statement: readonly { readonly Action: string | readonly string[] }[] };
}

function policiesOf(role: Resource | undefined): readonly Policy[] {
  const policies = role?.Properties?.Policies;
  return Array.isArray(policies) ? policies : [];
}
