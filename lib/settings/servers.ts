import type { DatabaseSettings, Settings } from './settings.ts';

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

/** What one of the tasks that share a server may open on it. */
export function taskShare(maxConnections: number, peakTasks: number): number {
  return Math.floor(maxConnections / peakTasks);
}

/** The settings of one task: its share in the place of what each server bears from all of them. */
export function withTaskShares(settings: Settings, peakTasks: number): Settings {
  if (settings.servers === undefined) return settings;
  const shares = Object.entries(settings.servers).map(([name, { maxConnections }]) => [
    name,
    { maxConnections: taskShare(maxConnections, peakTasks) },
  ]);
  return { ...settings, servers: Object.fromEntries(shares) };
}
