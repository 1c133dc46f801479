import { MYSQL_PORT } from '../settings/servers.ts';
import type { DatabaseSettings } from '../settings/settings.ts';
import type { DatabaseSecret } from './database-secret.ts';
import type { SourceStatus, Version } from './versioned-source.ts';

/** A login. `password` is not enumerable: neither JSON nor a log shows it, and a copy by `...` lacks it. */
export interface ServerLogin {
  readonly versionId: string;
  readonly host: string;
  readonly port: number;
  readonly database: string | undefined;
  readonly username: string;
  readonly password: string;
  /** The password is a token of RDS IAM authentication. It is sent in clear, so only over verified TLS. */
  readonly isToken?: boolean;
}

/** The address of a server. */
export type ServerAddress = Pick<ServerLogin, 'host' | 'port'>;

/** The login of one database, in its current version. */
export interface CredentialsSource {
  /** Aliases with the same id share their credentials. */
  readonly id: string;
  /**
   * Cached; the first call fetches.
   *
   * @throws {BrokerError} CREDENTIALS_REFUSED or DATABASE_UNREACHABLE until a fetch has succeeded.
   */
  current(): Promise<ServerLogin>;
  /**
   * Fetches again, one fetch at a time. With the version that a server refused: at most one fetch each
   * `minRefreshIntervalMs`, and none if another version is known already. While fetches fail, it resolves with the last
   * good version.
   */
  refresh(rejectedVersionId?: string): Promise<ServerLogin>;
  /**
   * The version to try after the server refused these. In this order:
   * 1. the one known now;
   * 2. the last that the server accepted, if it is for the same database;
   * 3. a newer one, by another fetch;
   * 4. the pending one of a rotation, if it is for the same account;
   * 5. the one before the current, if it is for the same database.
   *
   * Each is fetched at most once each `minRefreshIntervalMs`. Undefined: there is no other.
   */
  alternative(refusedVersionIds: ReadonlySet<string>): Promise<ServerLogin | undefined>;
  /** The server accepted it. If it is the pending version of a rotation, it becomes the current one. */
  accepted(login: ServerLogin): void;
  /** It is the version that new logins use. */
  isCurrent(login: ServerLogin): boolean;
  /** The address of logins; undefined until it is known. */
  address(): ServerAddress | undefined;
  /** The listener is called when a version replaces an older one. `isMove`: it is for another server or database. */
  onChange(listener: (login: ServerLogin, isMove: boolean) => void): void;
  status(): SourceStatus;
  /** Refreshes regularly, until `close`. */
  start(): void;
  close(): void;
}

/** The address in the settings, which overrides the secret's. */
export type Endpoint = Pick<DatabaseSettings, 'host' | 'port' | 'database'>;

/** Whether two logins are the same user's on the same server. */
export function isSameAccount(one: ServerLogin, other: ServerLogin): boolean {
  return one.username === other.username && one.host === other.host && one.port === other.port;
}

/** Whether two logins are for the same database, of the same or another user. */
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
  const port = endpoint.port ?? secret.port ?? MYSQL_PORT;
  const database = endpoint.database ?? (secret.dbname || undefined);
  const { username, password } = secret;
  const login = { versionId, host, port, database, username, password };
  return Object.defineProperty(login, 'password', { enumerable: false });
}
