import type { ServerLogin } from './credentials-source.ts';
import type { DatabaseSecret } from './secret.ts';
import type { DatabaseSettings } from './settings.ts';
import type { Version } from './versioned-source.ts';

export const DEFAULT_PORT = 3306;

/** Where the settings win over the secret. */
export type Endpoint = Pick<DatabaseSettings, 'host' | 'port' | 'database'>;

/** Whether two logins are the same user's on the same server. */
export function isSameAccount(one: ServerLogin, other: ServerLogin): boolean {
  return one.username === other.username && one.host === other.host && one.port === other.port;
}

/** Whether two logins lead to the same database, of whatever user. */
export function isSameDatabase(one: ServerLogin, other: ServerLogin): boolean {
  return one.host === other.host && one.port === other.port && one.database === other.database;
}

/** Undefined if neither names a host. */
export function loginOf(
  { versionId, value: secret }: Version<DatabaseSecret>,
  endpoint: Endpoint,
): ServerLogin | undefined {
  const host = endpoint.host ?? secret.host ?? undefined;
  if (host === undefined) return undefined;
  const port = endpoint.port ?? secret.port ?? DEFAULT_PORT;
  const database = endpoint.database ?? (secret.dbname || undefined);
  const { username, password } = secret;
  const login = { versionId, host, port, database, username, password };
  return Object.defineProperty(login, 'password', { enumerable: false });
}
