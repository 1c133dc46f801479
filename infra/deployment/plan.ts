import { readFile } from 'node:fs/promises';
import { documentChecks } from '../../lib/settings/document-checks.ts';
import { parseDocument } from '../../lib/settings/parse-document.ts';
import { parseSettings } from '../../lib/settings/parse-settings.ts';
import { SettingsError } from '../../lib/settings/problems.ts';
import type { Settings } from '../../lib/settings/settings.ts';
import { budgetProblems, perTaskProblems } from './budget.ts';
import { type Parameters, parseParameters } from './parameters.ts';
import { DeploymentError, refuse } from './problem.ts';
import { peakTasks, rollProblems } from './rolling.ts';
import { needsOf, type TaskNeeds, taskStatements } from './task-permissions.ts';

/** What the templates take from here: `${deployment:name}`. */
interface Plan {
  readonly peakTasks: string;
  readonly stopTimeoutSeconds: number;
  readonly settingsVariable: 'BROKER_SETTINGS' | 'BROKER_SETTINGS_SECRET';
  readonly settingsValue: string;
  readonly taskStatements: ReturnType<typeof taskStatements>;
  readonly balancerPort: number;
  readonly rotateBy: Parameters['rotateBy'];
}

/** Between the end of the drain and the moment that Fargate kills what has not ended. */
const STOP_RESERVE_SECONDS = 5;
const LISTENS_AT = '0.0.0.0';
/** Fargate waits no longer for a container that was told to stop. */
const MAX_STOP_TIMEOUT_SECONDS = 120;

/**
 * Checks what is to be deployed and works out what depends on it.
 *
 * @throws {DeploymentError} with a line for each problem.
 */
export async function planDeployment(values: Readonly<Record<string, unknown>>): Promise<Plan> {
  const parameters = parseParameters(values);
  refuse(rollProblems(parameters));
  const source =
    parameters.settingsSecret === undefined
      ? await fromFile(parameters)
      : fromSecret(parameters, parameters.settingsSecret);
  const stopTimeoutSeconds = Math.ceil(source.drainTimeoutMs / 1_000) + STOP_RESERVE_SECONDS;
  if (stopTimeoutSeconds > MAX_STOP_TIMEOUT_SECONDS) {
    const mostMs = (MAX_STOP_TIMEOUT_SECONDS - STOP_RESERVE_SECONDS) * 1_000;
    refuse([
      `server.drainTimeoutMs: found ${source.drainTimeoutMs}, allowed at most ${mostMs}: Fargate kills a task 120 s after it told it to stop`,
    ]);
  }
  return {
    peakTasks: String(peakTasks(parameters)),
    stopTimeoutSeconds,
    settingsVariable: source.settingsVariable,
    settingsValue: source.settingsValue,
    rotateBy: parameters.rotateBy,
    balancerPort: parameters.certificateArn === undefined ? 80 : 443,
    taskStatements: taskStatements({
      ...source.needs,
      ...rotationNeeds(parameters, source.needs),
      kmsKeyArn: parameters.secretsKmsKeyArn,
    }),
  };
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

interface SettingsSource extends Pick<Plan, 'settingsVariable' | 'settingsValue'> {
  readonly drainTimeoutMs: number;
  readonly needs: Omit<TaskNeeds, 'kmsKeyArn'>;
}

/** The file goes along as it is, so that the broker reads what was checked. */
async function fromFile(parameters: Parameters): Promise<SettingsSource> {
  const { settings: file, databaseMaxConnections } = parameters;
  const document = parseDocument(await readSettingsFile(file), file);
  const settingsValue = JSON.stringify(document);
  const settings = readAsTheBroker(document);
  refuse([
    ...budgetProblems(settings, parameters, databaseMaxConnections),
    ...(settings.server.tls === undefined
      ? []
      : ['server.tls: found files, allowed none here: the image has none; HTTPS comes with ingress=alb']),
  ]);
  const { drainTimeoutMs } = settings.server;
  return { settingsVariable: 'BROKER_SETTINGS', settingsValue, drainTimeoutMs, needs: needsOf(settings) };
}

async function readSettingsFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new DeploymentError(
      [`settings: found no readable file at ${file}, allowed the path of a settings file`],
      {
        cause,
      },
    );
  }
}

/** With the checks of its start, but for files: those it finds in the container. */
function readAsTheBroker(document: unknown): Settings {
  try {
    return parseSettings(document, { checks: documentChecks('BROKER_SETTINGS', LISTENS_AT) });
  } catch (error) {
    if (error instanceof SettingsError) throw new DeploymentError(error.problems, { cause: error });
    throw error;
  }
}

/** Nobody can look into the secret here: what matters of it is given beside it. */
function fromSecret(parameters: Parameters, settingsSecret: string): SettingsSource {
  const { connectionsPerTask, databaseMaxConnections, drainTimeoutMs, brokerSecrets } = parameters;
  if (
    connectionsPerTask === undefined ||
    databaseMaxConnections === undefined ||
    drainTimeoutMs === undefined
  ) {
    const needed = { connectionsPerTask, databaseMaxConnections, drainTimeoutMs };
    const missing = Object.entries(needed).filter(([, value]) => value === undefined);
    throw new DeploymentError(
      missing.map(
        ([name]) => `${name}: found nothing, needed with settingsSecret, which cannot be read here`,
      ),
    );
  }
  refuse(perTaskProblems('the pools of a server', connectionsPerTask, parameters, databaseMaxConnections));
  return {
    settingsVariable: 'BROKER_SETTINGS_SECRET',
    settingsValue: settingsSecret,
    drainTimeoutMs,
    needs: {
      readSecrets: [settingsSecret, ...brokerSecrets],
      rotatedSecrets: brokerSecrets,
      iamUsers: [],
    },
  };
}
