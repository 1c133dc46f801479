import { assert } from '../errors.ts';
import { credentialsFailure } from './credentials-failure.ts';
import { fileSource } from './credentials-file.ts';
import { type DatabaseSecret, parseDatabaseSecret } from './secret.ts';
import { SecretsManager } from './secrets-manager.ts';
import type { CredentialsSettings, DatabaseSettings, Settings } from './settings.ts';
import { type SourceStatus, type Version, VersionedSource } from './versioned-source.ts';

const DEFAULT_PORT = 3306;

/** How to log in. `password` is not enumerable: neither JSON nor a log shows it, and a copy by `...` lacks it. */
export interface ServerLogin {
  readonly versionId: string;
  readonly host: string;
  readonly port: number;
  readonly database: string | undefined;
  readonly username: string;
  readonly password: string;
}

/** The login of one database, in its current version. */
export interface CredentialsSource {
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
  /** A version took the place of an older one. */
  onChange(listener: (login: ServerLogin) => void): void;
  status(): SourceStatus;
  /** Looks again from time to time, until `close`. */
  start(): void;
  close(): void;
}

/** The credentials of each alias. Aliases on one secret share its looks. */
export function buildCredentialsSources(
  { databases, secrets }: Pick<Settings, 'databases' | 'secrets'>,
  secretsManager: SecretsManager = new SecretsManager(),
): ReadonlyMap<string, CredentialsSource> {
  const bySecretId = new Map<string, VersionedSource<DatabaseSecret>>();

  function secretSource(secretId: string): VersionedSource<DatabaseSecret> {
    const known = bySecretId.get(secretId);
    if (known !== undefined) return known;
    const source = new VersionedSource(async () => {
      const { text, versionId } = await secretsManager.read(secretId);
      return { versionId, value: parseDatabaseSecret(text) };
    }, secrets);
    bySecretId.set(secretId, source);
    return source;
  }

  function sourceOf(credentials: CredentialsSettings): VersionedSource<DatabaseSecret> {
    if ('secretId' in credentials) return secretSource(credentials.secretId);
    if ('file' in credentials) return fileSource(credentials.file, secrets);
    assert('password' in credentials, 'credentials.iam passed the settings');
    return new VersionedSource(async () => ({ versionId: 'inline', value: credentials }), secrets);
  }

  return new Map(
    Object.entries(databases).map(([alias, database]) => [
      alias,
      new DatabaseCredentials(sourceOf(database.credentials), database),
    ]),
  );
}

/** Where the settings win over the secret. */
type Endpoint = Pick<DatabaseSettings, 'host' | 'port' | 'database'>;

class DatabaseCredentials implements CredentialsSource {
  readonly #source: VersionedSource<DatabaseSecret>;
  readonly #endpoint: Endpoint;
  #lastGood: ServerLogin | undefined;

  constructor(source: VersionedSource<DatabaseSecret>, endpoint: Endpoint) {
    this.#source = source;
    this.#endpoint = endpoint;
  }

  async current(): Promise<ServerLogin> {
    return this.#lastGoodOf(await this.#source.current());
  }

  async refresh(rejectedVersionId?: string): Promise<ServerLogin> {
    return this.#lastGoodOf(await this.#source.refresh(rejectedVersionId));
  }

  onChange(listener: (login: ServerLogin) => void): void {
    this.#source.onVersion((version, previous) => {
      const login = loginOf(version, this.#endpoint);
      if (previous !== undefined && login !== undefined) listener(login);
    });
  }

  status(): SourceStatus {
    return this.#source.status();
  }

  start(): void {
    this.#source.start();
  }

  close(): void {
    this.#source.close();
  }

  /** A version that forgot the host is as good as none. */
  #lastGoodOf(version: Version<DatabaseSecret>): ServerLogin {
    this.#lastGood = loginOf(version, this.#endpoint) ?? this.#lastGood;
    if (this.#lastGood !== undefined) return this.#lastGood;
    throw credentialsFailure('neither the settings nor their secret name a host');
  }
}

function loginOf(
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
