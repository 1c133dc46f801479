import { assert } from '../errors.ts';
import { credentialsFailure } from './credentials-failure.ts';
import { fileSource } from './credentials-file.ts';
import { IamCredentials } from './iam-credentials.ts';
import { DEFAULT_PORT, type Endpoint, isSameAccount, isSameDatabase, loginOf } from './login-identity.ts';
import { LabelledVersion } from './pending-version.ts';
import { RdsTokenSigner } from './rds-token.ts';
import { type DatabaseSecret, parseDatabaseSecret } from './secret.ts';
import { type SecretLabel, SecretsManager, type SecretText } from './secrets-manager.ts';
import type { CredentialsSettings, DatabaseSettings, Settings } from './settings.ts';
import { type SourceStatus, type Version, VersionedSource } from './versioned-source.ts';

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

/** Forms of credentials that hold a password, or tell where it is. */
type SecretForm = Exclude<CredentialsSettings, { iam: unknown }>;

/** Where the credentials of one or more aliases come from. */
interface Origin {
  readonly id: string;
  readonly source: VersionedSource<DatabaseSecret>;
  /** Only a secret that may be rotated has these. */
  readonly pending?: LabelledVersion<DatabaseSecret>;
  readonly previous?: LabelledVersion<DatabaseSecret>;
}

/** The credentials of each alias. Aliases on one secret share its looks. */
export function buildCredentialsSources(
  { databases, secrets }: Pick<Settings, 'databases' | 'secrets'>,
  secretsManager: SecretsManager = new SecretsManager(),
): ReadonlyMap<string, CredentialsSource> {
  const bySecretId = new Map<string, Origin>();

  function secretOrigin(secretId: string): Origin {
    const known = bySecretId.get(secretId);
    if (known !== undefined) return known;
    const versionOf = ({ text, versionId }: SecretText) => ({ versionId, value: parseDatabaseSecret(text) });
    const labelled = (label: SecretLabel) =>
      new LabelledVersion(async () => {
        const found = await secretsManager.find(secretId, label);
        return found && versionOf(found);
      }, secrets.minRefreshIntervalMs);
    const origin = {
      id: `secret ${secretId}`,
      source: new VersionedSource(async () => versionOf(await secretsManager.read(secretId)), secrets),
      pending: labelled('AWSPENDING'),
      previous: labelled('AWSPREVIOUS'),
    };
    bySecretId.set(secretId, origin);
    return origin;
  }

  const signer = new RdsTokenSigner();

  function sourceOf(alias: string, database: DatabaseSettings): CredentialsSource {
    const { credentials, host, port = DEFAULT_PORT } = database;
    if (!('iam' in credentials)) return new DatabaseCredentials(originOf(alias, credentials), database);
    assert(host !== undefined, 'credentials.iam without a host passed the settings');
    const login = { alias, host, port, database: database.database, username: credentials.iam.username };
    return new IamCredentials(login, signer, secrets.minRefreshIntervalMs);
  }

  function originOf(alias: string, credentials: SecretForm): Origin {
    if ('secretId' in credentials) return secretOrigin(credentials.secretId);
    if ('file' in credentials) {
      return { id: `file ${credentials.file}`, source: fileSource(credentials.file, secrets) };
    }
    const inline = { versionId: 'inline', value: credentials };
    return { id: `inline ${alias}`, source: new VersionedSource(async () => inline, secrets) };
  }

  return new Map(Object.entries(databases).map(([alias, database]) => [alias, sourceOf(alias, database)]));
}

class DatabaseCredentials implements CredentialsSource {
  readonly id: string;
  readonly #source: VersionedSource<DatabaseSecret>;
  readonly #pending: LabelledVersion<DatabaseSecret> | undefined;
  readonly #previous: LabelledVersion<DatabaseSecret> | undefined;
  readonly #endpoint: Endpoint;
  #lastGood: ServerLogin | undefined;
  /** The last change of version was one of the database too. */
  #hasMoved = false;
  /** The last that the server took. */
  #taken: ServerLogin | undefined;
  /** A pending version that was handed out, and the version in whose place. */
  #offer: { readonly version: Version<DatabaseSecret>; readonly inPlaceOfId: string } | undefined;

  constructor({ id, source, pending, previous }: Origin, endpoint: Endpoint) {
    this.id = id;
    this.#source = source;
    this.#pending = pending;
    this.#previous = previous;
    this.#endpoint = endpoint;
    source.onVersion((version) => {
      const known = this.#lastGood;
      // A version that forgot the host is as good as none.
      this.#lastGood = loginOf(version, endpoint) ?? known;
      this.#hasMoved =
        known !== undefined && this.#lastGood !== undefined && !isSameDatabase(known, this.#lastGood);
    });
  }

  async current(): Promise<ServerLogin> {
    await this.#source.current();
    return this.#login();
  }

  async refresh(rejectedVersionId?: string): Promise<ServerLogin> {
    await this.#source.refresh(rejectedVersionId);
    return this.#login();
  }

  async alternative(refusedVersionIds: ReadonlySet<string>): Promise<ServerLogin | undefined> {
    const known = this.#login();
    if (!refusedVersionIds.has(known.versionId)) return known;
    const taken = this.#taken;
    if (taken !== undefined && !refusedVersionIds.has(taken.versionId) && isSameDatabase(taken, known))
      return taken;
    const current = await this.refresh(known.versionId);
    if (!refusedVersionIds.has(current.versionId)) return current;
    return (
      (await this.#pendingFor(current, refusedVersionIds)) ??
      (await this.#previousOf(current, refusedVersionIds))
    );
  }

  accepted(login: ServerLogin): void {
    this.#taken = login;
    const { versionId } = login;
    const offer = this.#offer;
    if (offer?.version.versionId !== versionId) return;
    this.#offer = undefined;
    this.#source.adopt(offer.version, offer.inPlaceOfId);
  }

  isCurrent({ versionId }: ServerLogin): boolean {
    return versionId === this.#lastGood?.versionId;
  }

  onChange(listener: (login: ServerLogin, isMove: boolean) => void): void {
    this.#source.onVersion((version, previous) => {
      const login = this.#lastGood;
      if (previous !== undefined && login?.versionId === version.versionId) listener(login, this.#hasMoved);
    });
  }

  address(): ServerAddress | undefined {
    const { host, port = DEFAULT_PORT } = this.#lastGood ?? this.#endpoint;
    return host === undefined ? undefined : { host, port };
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

  async #pendingFor(current: ServerLogin, refused: ReadonlySet<string>): Promise<ServerLogin | undefined> {
    const version = await this.#pending?.find();
    const pending = version && loginOf(version, this.#endpoint);
    if (version === undefined || pending === undefined || !isSameAccount(pending, current)) return undefined;
    if (refused.has(pending.versionId)) return undefined;
    this.#offer = { version, inPlaceOfId: current.versionId };
    return pending;
  }

  async #previousOf(current: ServerLogin, refused: ReadonlySet<string>): Promise<ServerLogin | undefined> {
    const version = await this.#previous?.find();
    const previous = version && loginOf(version, this.#endpoint);
    if (previous === undefined || refused.has(previous.versionId)) return undefined;
    return isSameDatabase(previous, current) ? previous : undefined;
  }

  #login(): ServerLogin {
    if (this.#lastGood !== undefined) return this.#lastGood;
    throw credentialsFailure('credentials_without_host', 'neither the settings nor their secret name a host');
  }
}
