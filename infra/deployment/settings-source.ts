import { readFile } from 'node:fs/promises';
import { documentChecks } from '../../lib/settings/checks/document-checks.ts';
import { parseDocument } from '../../lib/settings/parse-document.ts';
import { parseSettings } from '../../lib/settings/parse-settings.ts';
import { SettingsError } from '../../lib/settings/problems.ts';
import type { Settings } from '../../lib/settings/settings.ts';
import { budgetProblems, perTaskProblems } from './budget.ts';
import { fargateChecks, hostsAreFilledIn } from './checks/fargate-checks.ts';
import type { Parameters } from './parameters.ts';
import { DeploymentError } from './problem.ts';
import { needsOf, type TaskNeeds } from './task-permissions.ts';

/** Where a task of Fargate listens: at the address that it has in its VPC. */
const LISTENS_AT = '0.0.0.0';

/** What the broker is told, and what follows from it. */
export interface SettingsSource {
  readonly variable: 'BROKER_SETTINGS' | 'BROKER_SETTINGS_SECRET';
  readonly value: string;
  readonly drainTimeoutMs: number;
  readonly needs: Omit<TaskNeeds, 'kmsKeyArn'>;
  /** Undefined where only the secret tells. */
  readonly settings: Settings | undefined;
}

/** What was found of the settings, and what is wrong with it. Without a source, something is. */
export interface FoundSource {
  readonly source?: SettingsSource;
  readonly problems: readonly string[];
}

/**
 * The file goes along as it is, so that the broker reads what was checked.
 *
 * @param isDeployed Refuses also what an offline package may still have: the example's host.
 */
export async function fromFile(parameters: Parameters, isDeployed: boolean): Promise<FoundSource> {
  const { settings: file, databaseMaxConnections } = parameters;
  let document: unknown;
  let settings: Settings;
  try {
    document = parseDocument(await readSettingsFile(file), file);
    settings = readAsTheBroker(document, parameters, isDeployed);
  } catch (error) {
    if (error instanceof SettingsError || error instanceof DeploymentError)
      return { problems: error.problems };
    throw error;
  }
  const source: SettingsSource = {
    variable: 'BROKER_SETTINGS',
    value: JSON.stringify(document),
    drainTimeoutMs: settings.server.drainTimeoutMs,
    needs: needsOf(settings),
    settings,
  };
  return { source, problems: budgetProblems(settings, parameters, databaseMaxConnections) };
}

async function readSettingsFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new DeploymentError(
      [`settings: found no readable file at ${file}, allowed the path of a settings file`],
      { cause },
    );
  }
}

/** With the checks of its start, and those of where it is to run. */
function readAsTheBroker(document: unknown, parameters: Parameters, isDeployed: boolean): Settings {
  return parseSettings(document, {
    checks: [
      ...documentChecks('BROKER_SETTINGS', LISTENS_AT),
      ...fargateChecks(parameters),
      ...(isDeployed ? [hostsAreFilledIn] : []),
    ],
  });
}

/** Nobody can look into the secret here: what matters of it is given beside it. */
export function fromSecret(parameters: Parameters, settingsSecret: string): FoundSource {
  const { connectionsPerTask, databaseMaxConnections, drainTimeoutMs, brokerSecrets, iamUsers } = parameters;
  if (
    connectionsPerTask === undefined ||
    databaseMaxConnections === undefined ||
    drainTimeoutMs === undefined
  ) {
    const needed = { connectionsPerTask, databaseMaxConnections, drainTimeoutMs };
    const missing = Object.entries(needed).filter(([, value]) => value === undefined);
    return {
      problems: missing.map(
        ([name]) => `${name}: found nothing, allowed a number with settingsSecret, which cannot be read here`,
      ),
    };
  }
  const source: SettingsSource = {
    variable: 'BROKER_SETTINGS_SECRET',
    value: settingsSecret,
    drainTimeoutMs,
    needs: {
      readSecrets: [settingsSecret, ...brokerSecrets],
      rotatedSecrets: brokerSecrets,
      iamUsers,
    },
    settings: undefined,
  };
  return {
    source,
    problems: perTaskProblems(
      'the pools of a server',
      connectionsPerTask,
      parameters,
      databaseMaxConnections,
    ),
  };
}
