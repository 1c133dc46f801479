import { actionsOfCode } from './aws-calls.ts';
import { type Resource, resourcesOf, type Template } from './template.ts';

interface RolesCode {
  readonly role: string;
  /** Which files of lib/ run with the role. */
  readonly isMeant: (file: string) => boolean;
  /** Where its permissions stand. */
  readonly place: string;
}

/** The only code that writes secrets. */
const ROTATION_STORE = 'settings/rotation-store.ts';

const rolesOf = (rotateBy: string): readonly RolesCode[] => [
  {
    role: 'BrokerTaskRole',
    isMeant: (file) =>
      !file.startsWith('client') && (rotateBy === 'broker' || !file.endsWith(ROTATION_STORE)),
    place: 'infra/deployment/task-permissions.ts',
  },
  ...['SqlFunctionRole', 'OperatorFunctionRole'].map((role) => ({
    role,
    isMeant: (file: string) => file.startsWith('client'),
    place: 'infra/cloudformation/function-roles.yml',
  })),
];

/** What a call needs that nothing in the code shows. */
const IMPLIED: Readonly<Record<string, string>> = {
  'kms:Decrypt': 'secretsmanager:GetSecretValue',
  'kms:GenerateDataKey': 'secretsmanager:PutSecretValue',
};
/** Settings decide whether these are needed: they are granted only then. */
const OPTIONAL = ['rds-db:connect'];

/** Roles of which a call is not allowed, or that allow what no code asks for. */
export async function permissionProblems(
  template: Template,
  libFolder: string,
  rotateBy: string,
): Promise<string[]> {
  const problems = await Promise.all(
    rolesOf(rotateBy).map(async ({ role, isMeant, place }) => {
      const needed = await actionsOfCode(libFolder, isMeant);
      const allowed = allowedActions(template, role);
      const missing = [...needed].filter(
        ([action]) => !allowed.includes(action) && !OPTIONAL.includes(action),
      );
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
