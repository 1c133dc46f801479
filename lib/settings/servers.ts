import type { DatabaseSettings, Settings } from './settings.ts';

/** The default port of MySQL. */
export const MYSQL_PORT = 3306;

/** A server that the settings limit. */
export interface ServerLimit {
  readonly name: string;
  readonly maxConnections: number;
}

/** The limit of the server that an alias is on, if its server has one: `host:port`, or `host` at port 3306. */
export function serverLimitOf(
  servers: Settings['servers'],
  { host, port = MYSQL_PORT }: Pick<DatabaseSettings, 'host' | 'port'>,
): ServerLimit | undefined {
  if (servers === undefined || host === undefined) return undefined;
  const names = [`${host}:${port}`, ...(port === MYSQL_PORT ? [host] : [])].map((name) => name.toLowerCase());
  for (const [name, { maxConnections }] of Object.entries(servers)) {
    if (names.includes(name.toLowerCase())) return { name, maxConnections };
  }
  return undefined;
}

/** The connections that one of the tasks may open on a shared server. */
export function taskShare(maxConnections: number, peakTasks: number): number {
  return Math.floor(maxConnections / peakTasks);
}

/** The settings of one task: each server's limit is replaced by the task's share. */
export function withTaskShares(settings: Settings, peakTasks: number): Settings {
  if (settings.servers === undefined) return settings;
  const shares = Object.entries(settings.servers).map(([name, { maxConnections }]) => [
    name,
    { maxConnections: taskShare(maxConnections, peakTasks) },
  ]);
  return { ...settings, servers: Object.fromEntries(shares) };
}
