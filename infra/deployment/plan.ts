import { parameterProblems } from './checks/parameter-checks.ts';
import { type Overview, overviewOf } from './overview.ts';
import { nameProblems, type Parameters, parseParameters } from './parameters.ts';
import { DeploymentError, refuse } from './problem.ts';
import { peakTasks } from './rolling.ts';
import { secretArn } from './secret-arn.ts';
import { fromFile, fromSecret, type SettingsSource } from './settings-source.ts';
import { type TaskNeeds, taskStatements } from './task-permissions.ts';

/** What the templates take from here: `${deployment:name}`. */
interface Plan {
  readonly peakTasks: string;
  readonly stopTimeoutSeconds: number;
  readonly settingsVariable: SettingsSource['variable'];
  readonly settingsValue: string;
  readonly taskStatements: ReturnType<typeof taskStatements>;
  /** For policies. */
  readonly brokerKeyArn: unknown;
  readonly adminKeyArn: unknown;
  readonly masterArn: unknown;
  readonly balancerPort: number;
  readonly rotateBy: Parameters['rotateBy'];
  readonly overview: Overview;
}

export interface PlanOptions {
  /** Names of parameters that were given, on the command line or for a stage. Default: none. */
  readonly given?: readonly string[];
  /** Names that serverless.yml has. Default: those that are checked here. */
  readonly declared?: readonly string[];
  /** Refuses also what an offline package may still have. Default: false. */
  readonly isDeployed?: boolean;
}

/** Between the end of the drain and the moment that Fargate kills what has not ended. */
const STOP_RESERVE_SECONDS = 5;
/** Fargate waits no longer for a container that was told to stop. */
const MAX_STOP_TIMEOUT_SECONDS = 120;

/**
 * Checks what is to be deployed and works out what depends on it.
 *
 * @throws {DeploymentError} with a line for each problem.
 */
export async function planDeployment(
  values: Readonly<Record<string, unknown>>,
  { given = [], declared = [], isDeployed = false }: PlanOptions = {},
): Promise<Plan> {
  const names = nameProblems(given, declared);
  const parameters = parsed(values, names);
  const { settingsSecret } = parameters;
  const { source, problems } =
    settingsSecret === undefined
      ? await fromFile(parameters, isDeployed)
      : fromSecret(parameters, settingsSecret);
  const found = [...names, ...parameterProblems(parameters), ...problems];
  if (source === undefined) throw new DeploymentError(found);
  const stopTimeoutSeconds = Math.ceil(source.drainTimeoutMs / 1_000) + STOP_RESERVE_SECONDS;
  refuse([...found, ...drainProblems(source.drainTimeoutMs, stopTimeoutSeconds)]);
  return {
    peakTasks: String(peakTasks(parameters)),
    stopTimeoutSeconds,
    settingsVariable: source.variable,
    settingsValue: source.value,
    rotateBy: parameters.rotateBy,
    overview: overviewOf(parameters, source),
    balancerPort: parameters.certificateArn === undefined ? 80 : 443,
    brokerKeyArn: secretArn(parameters.brokerKeySecret),
    adminKeyArn: secretArn(parameters.adminKeySecret),
    masterArn: secretArn(parameters.masterSecret ?? ''),
    taskStatements: taskStatements({
      ...source.needs,
      ...rotationNeeds(parameters, source.needs),
      kmsKeyArn: parameters.secretsKmsKeyArn,
    }),
  };
}

/** Together with what else is wrong with them. */
function parsed(values: Readonly<Record<string, unknown>>, names: readonly string[]): Parameters {
  try {
    return parseParameters(values);
  } catch (error) {
    if (!(error instanceof DeploymentError)) throw error;
    throw new DeploymentError([...names, ...error.problems], { cause: error });
  }
}

function drainProblems(drainTimeoutMs: number, stopTimeoutSeconds: number): string[] {
  if (stopTimeoutSeconds <= MAX_STOP_TIMEOUT_SECONDS) return [];
  const mostMs = (MAX_STOP_TIMEOUT_SECONDS - STOP_RESERVE_SECONDS) * 1_000;
  return [
    `server.drainTimeoutMs: found ${drainTimeoutMs}, allowed at most ${mostMs}: Fargate kills a task 120 s after it told it to stop`,
  ];
}

/** Where the function rotates, the broker has no part in it. */
function rotationNeeds(
  { rotateBy, masterSecret }: Parameters,
  { readSecrets, rotatedSecrets }: SettingsSource['needs'],
): Pick<TaskNeeds, 'readSecrets' | 'rotatedSecrets'> {
  if (rotateBy === 'function') return { readSecrets, rotatedSecrets: [] };
  const master = masterSecret === undefined ? [] : [masterSecret];
  return { readSecrets: [...readSecrets, ...master], rotatedSecrets };
}
