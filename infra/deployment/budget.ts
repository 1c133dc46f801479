import { serverLimitOf, taskShare } from '../../lib/settings/servers.ts';
import type { DatabaseSettings, Settings } from '../../lib/settings/settings.ts';
import { peakTasks, type TaskCounts } from './rolling.ts';

type Databases = Readonly<Record<string, Pick<DatabaseSettings, 'host' | 'port' | 'pool'>>>;

/** One connection of each task stops statements. */
const CONTROL_CONNECTIONS = 1;

/**
 * Why all tasks together may open more connections than a database server bears, or why a task's share is too small.
 *
 * @param databaseMaxConnections What each server bears that the settings do not limit, from all tasks.
 */
export function budgetProblems(
  { databases, servers }: { readonly databases: Databases; readonly servers?: Settings['servers'] },
  tasks: TaskCounts,
  databaseMaxConnections: number | undefined,
): string[] {
  const peak = peakTasks(tasks);
  const unlimited: [alias: string, connections: number][] = [];
  const problems: string[] = [];
  for (const [alias, database] of Object.entries(databases)) {
    const { size, maxOverflow } = database.pool;
    const limit = serverLimitOf(servers, database);
    if (limit === undefined) {
      unlimited.push([alias, size + maxOverflow]);
    } else if (size > taskShare(limit.maxConnections, peak)) {
      problems.push(
        `servers.${limit.name}.maxConnections: found ${limit.maxConnections}, which gives each of ${explained(tasks)} ` +
          `${taskShare(limit.maxConnections, peak)} connections, but databases.${alias} keeps ${size} open. ` +
          `Allowed at least ${size * peak}; or lower pool.size, maxTasks or deployMaxPercent`,
      );
    }
  }
  for (const [name, { maxConnections }] of Object.entries(servers ?? {})) {
    const all = maxConnections + peak * CONTROL_CONNECTIONS;
    if (databaseMaxConnections === undefined || all <= databaseMaxConnections) continue;
    problems.push(
      `servers.${name}.maxConnections: found ${maxConnections}, and ${explained(tasks)} open one more each to stop ` +
        `statements: ${all} in all. Allowed at most ${databaseMaxConnections - peak} with databaseMaxConnections ` +
        `${databaseMaxConnections}`,
    );
  }
  if (unlimited.length === 0) return problems;
  const names = unlimited.map(([alias]) => `databases.${alias}`).join(', ');
  if (databaseMaxConnections === undefined) {
    return [
      ...problems,
      `databaseMaxConnections: found nothing, and the settings do not tell what the server of ${names} bears. State ` +
        `servers: {"host:port": {maxConnections}} in the settings, or --param databaseMaxConnections=N`,
    ];
  }
  // They may all be on one server: a secret can name any.
  const connections = unlimited.reduce((sum, [, count]) => sum + count, 0);
  return [...problems, ...perTaskProblems(names, connections, tasks, databaseMaxConnections)];
}

/** The same for pools of which only the sum is known. */
export function perTaskProblems(
  whose: string,
  connectionsPerTask: number,
  tasks: TaskCounts,
  databaseMaxConnections: number,
): string[] {
  const all = (connectionsPerTask + CONTROL_CONNECTIONS) * peakTasks(tasks);
  if (all <= databaseMaxConnections) return [];
  const most = Math.floor(databaseMaxConnections / peakTasks(tasks)) - CONTROL_CONNECTIONS;
  return [
    `databaseMaxConnections: found ${databaseMaxConnections}, but ${explained(tasks)} open up to ${all}: each ` +
      `${connectionsPerTask} for ${whose}, and one to stop statements. Allowed at least ${all}; or lower the sum of ` +
      `pool.size and pool.maxOverflow to ${Math.max(0, most)}, or maxTasks, or deployMaxPercent`,
  ];
}

function explained(tasks: TaskCounts): string {
  const peak = peakTasks(tasks);
  const { maxTasks, deployMaxPercent } = tasks;
  return `${peak} tasks (${peak - maxTasks} that run while a deployment replaces maxTasks ${maxTasks} at deployMaxPercent ${deployMaxPercent}, ${maxTasks} that still drain)`;
}
