import { MYSQL_PORT } from '../../lib/settings/servers.ts';
import type { Parameters } from './parameters.ts';
import { peakTasks } from './rolling.ts';
import type { SettingsSource } from './settings-source.ts';

/** What a deployment will consist of and rely on. */
export interface Overview {
  readonly repository: string;
  readonly imageTag: string;
  /** `alias: host:port`. Empty where only a secret tells. */
  readonly databases: readonly string[];
  /** Each once, with the setting or parameter that names it. */
  readonly secrets: readonly { readonly place: string; readonly id: string }[];
  readonly budget: string;
  readonly price: string;
}

/**
 * Fargate, Linux on ARM, in us-east-1, without Savings Plans: dollars per hour of a vCPU, and of a GB.
 *
 * Source: the list of aws.amazon.com/fargate/pricing, as vantage.sh/blog/fargate-pricing quotes it, read in 2026-11.
 * Other regions cost up to a third more.
 */
const DOLLARS_PER_VCPU_HOUR = 0.03238;
const DOLLARS_PER_GB_HOUR = 0.00356;
const HOURS_PER_MONTH = 730;

/** (vCPU × price + GB × price) × hours: what AWS bills for a task that runs all month. */
export function taskDollarsPerMonth(taskCpu: number, taskMemoryMib: number): number {
  const perHour = (taskCpu / 1_024) * DOLLARS_PER_VCPU_HOUR + (taskMemoryMib / 1_024) * DOLLARS_PER_GB_HOUR;
  return perHour * HOURS_PER_MONTH;
}

export function overviewOf(parameters: Parameters, source: SettingsSource): Overview {
  const { repository, imageTag } = parameters;
  return {
    repository,
    imageTag,
    databases: databasesOf(source),
    secrets: secretsOf(parameters, source),
    budget: budgetOf(parameters, source),
    price: priceOf(parameters),
  };
}

/** For people, after packaging. */
export function overviewLines({
  repository,
  imageTag,
  databases,
  secrets,
  budget,
  price,
}: Overview): string[] {
  return [
    ...(databases.length === 0 ? ['Databases  as the secret of the settings tells'] : []),
    ...databases.map((database) => `Database   ${database}`),
    ...secrets.map(({ place, id }) => `Secret     ${id} (${place})`),
    `Image      ${repository}:${imageTag}`,
    `Budget     ${budget}`,
    `Price      ${price}`,
  ];
}

function databasesOf({ settings }: SettingsSource): string[] {
  return Object.entries(settings?.databases ?? {}).map(
    ([alias, { host, port }]) =>
      `${alias}: ${host ?? 'host of its secret'}:${port ?? `port of its secret, or ${MYSQL_PORT}`}`,
  );
}

function secretsOf(parameters: Parameters, { needs }: SettingsSource): Overview['secrets'] {
  const { settingsSecret, brokerKeySecret, adminKeySecret, masterSecret, rotatedSecretArn } = parameters;
  const named = { settingsSecret, brokerKeySecret, adminKeySecret, masterSecret, rotatedSecretArn };
  const ids = new Map<string, string>();
  for (const [place, id] of Object.entries(named)) {
    if (id !== undefined) ids.set(id, place);
  }
  for (const id of needs.readSecrets) if (!ids.has(id)) ids.set(id, 'settings');
  return [...ids].map(([id, place]) => ({ place, id }));
}

function budgetOf(parameters: Parameters, { settings }: SettingsSource): string {
  const peak = peakTasks(parameters);
  const perTask =
    settings === undefined
      ? (parameters.connectionsPerTask ?? 0)
      : Object.values(settings.databases).reduce((sum, { pool }) => sum + pool.size + pool.maxOverflow, 0);
  const limits = Object.entries(settings?.servers ?? {}).map(
    ([name, { maxConnections }]) => `${maxConnections} on ${name}`,
  );
  const bound = limits.length === 0 ? '' : `; of all tasks at most ${limits.join(', ')}`;
  return `up to ${perTask} connections a task and one more per server to stop statements, ${peak} tasks at the peak of a deployment${bound}`;
}

function priceOf({ taskCpu, taskMemory, minTasks, maxTasks }: Parameters): string {
  const each = taskDollarsPerMonth(Number(taskCpu), taskMemory);
  const dollars = (tasks: number) => (each * tasks).toFixed(2);
  return `${dollars(minTasks)} to ${dollars(maxTasks)} $ a month for ${minTasks} to ${maxTasks} tasks (Fargate on ARM in us-east-1, as of 2026-11), and the network, alarms and logs: see infra/README.md`;
}
