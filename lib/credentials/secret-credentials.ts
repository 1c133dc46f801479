import { credentialsFailure } from '../aws/credentials-failure.ts';
import { MYSQL_PORT } from '../settings/servers.ts';
import type { DatabaseSecret } from './database-secret.ts';
import {
  type CredentialsSource,
  type Endpoint,
  isSameAccount,
  isSameDatabase,
  loginOf,
  type ServerAddress,
  type ServerLogin,
} from './login.ts';
import type { LabelledVersion } from './pending-version.ts';
import type { SourceStatus, Version, VersionedSource } from './versioned-source.ts';

/** The source of the credentials of one or more aliases. */
export interface Origin {
  readonly id: string;
  readonly source: VersionedSource<DatabaseSecret>;
  /** Only secrets that may be rotated have these. */
  readonly pending?: LabelledVersion<DatabaseSecret>;
  readonly previous?: LabelledVersion<DatabaseSecret>;
}

/** The credentials of an alias that are a user name and a password. */
export class SecretCredentials implements CredentialsSource {
  readonly id: string;
  readonly #source: VersionedSource<DatabaseSecret>;
  readonly #pending: LabelledVersion<DatabaseSecret> | undefined;
  readonly #previous: LabelledVersion<DatabaseSecret> | undefined;
  readonly #endpoint: Endpoint;
  #lastGood: ServerLogin | undefined;
  /** The last new version was for another database. */
  #hasMoved = false;
  /** The last login that the server accepted. */
  #lastAccepted: ServerLogin | undefined;
  /** A pending version that was returned as alternative, and the version that it replaces if it is accepted. */
  #offered: { readonly version: Version<DatabaseSecret>; readonly inPlaceOfId: string } | undefined;

  constructor({ id, source, pending, previous }: Origin, endpoint: Endpoint) {
    this.id = id;
    this.#source = source;
    this.#pending = pending;
    this.#previous = previous;
    this.#endpoint = endpoint;
    source.onVersion((version) => {
      const known = this.#lastGood;
      // A version without a host is ignored.
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
    const last = this.#lastAccepted;
    if (last !== undefined && !refusedVersionIds.has(last.versionId) && isSameDatabase(last, known))
      return last;
    const current = await this.refresh(known.versionId);
    if (!refusedVersionIds.has(current.versionId)) return current;
    return (
      (await this.#pendingFor(current, refusedVersionIds)) ??
      (await this.#previousOf(current, refusedVersionIds))
    );
  }

  accepted(login: ServerLogin): void {
    this.#lastAccepted = login;
    const { versionId } = login;
    const offered = this.#offered;
    if (offered?.version.versionId !== versionId) return;
    this.#offered = undefined;
    this.#source.adopt(offered.version, offered.inPlaceOfId);
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
    const { host, port = MYSQL_PORT } = this.#lastGood ?? this.#endpoint;
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
    this.#offered = { version, inPlaceOfId: current.versionId };
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
