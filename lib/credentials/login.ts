import { MYSQL_PORT } from '../settings/servers.ts';
import type { DatabaseSettings } from '../settings/settings.ts';
import type { DatabaseSecret } from './database-secret.ts';
import type { SourceStatus, Version } from './versioned-source.ts';

/** How to log in. `password` is not enumerable: neither JSON nor a log shows it, and a copy by `...` lacks it. */
export interface ServerLogin {
  readonly versionId: string;
  readonly host: string;
  readonly port: number;
  readonly database: string | undefined;
  readonly username: string;
  readonly password: string;
  /** The password is a token of RDS IAM authentication, which the server wants as it is: only over verified TLS. */
  readonly isToken?: boolean;
}

/** Where a server is to be reached. */
export type ServerAddress = Pick<ServerLogin, 'host' | 'port'>;

/** The login of one database, in its current version. */
export interface CredentialsSource {
  /** Aliases with the same id share their credentials. */
  readonly id: string;
  /**
   * Cached; the first call looks.
   *
   * @throws {BrokerError} CREDENTIALS_REFUSED or DATABASE_UNREACHABLE while no look has succeeded.
   */
  current(): Promise<ServerLogin>;
  /**
   * Looks again, one look at a time. With the version that a server refused: at most one look each
   * `minRefreshIntervalMs`, and none if another version is known already. While looks fail, the last good
   * version is the answer.
   */
  refresh(rejectedVersionId?: string): Promise<ServerLogin>;
  /**
   * What to try after the server refused these versions. In this order: the one known now, the last that the server
   * took, a newer one that another look finds, for the same account the one that a rotation under way is about to put
   * in force, and the one before the current. The last and the one before only for the same database. At most one look
   * for each each `minRefreshIntervalMs`. Undefined: nothing else is known.
   */
  alternative(refusedVersionIds: ReadonlySet<string>): Promise<ServerLogin | undefined>;
  /** The server took it. From now on the version of a rotation under way is the current one. */
  accepted(login: ServerLogin): void;
  /** It is of the version that logins are made with now. */
  isCurrent(login: ServerLogin): boolean;
  /** Where logins go, as far as that is known yet. */
  address(): ServerAddress | undefined;
  /** A version took the place of an older one. `isMove`: it is for another server or database. */
  onChange(listener: (login: ServerLogin, isMove: boolean) => void): void;
  status(): SourceStatus;
  /** Looks again from time to time, until `close`. */
  start(): void;
  close(): void;
}

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
  const port = endpoint.port ?? secret.port ?? MYSQL_PORT;
  const database = endpoint.database ?? (secret.dbname || undefined);
  const { username, password } = secret;
  const login = { versionId, host, port, database, username, password };
  return Object.defineProperty(login, 'password', { enumerable: false });
}
