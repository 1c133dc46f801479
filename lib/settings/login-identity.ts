import type { ServerLogin } from './credentials-source.ts';

/** Whether two logins are the same user's on the same server. */
export function isSameAccount(one: ServerLogin, other: ServerLogin): boolean {
  return one.username === other.username && one.host === other.host && one.port === other.port;
}

/** Whether two logins lead to the same database, of whatever user. */
export function isSameDatabase(one: ServerLogin, other: ServerLogin): boolean {
  return one.host === other.host && one.port === other.port && one.database === other.database;
}
