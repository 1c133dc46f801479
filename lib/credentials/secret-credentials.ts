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

/** Where the credentials of one or more aliases come from. */
export interface Origin {
  readonly id: string;
  readonly source: VersionedSource<DatabaseSecret>;
  /** Only a secret that may be rotated has these. */
  readonly pending?: LabelledVersion<DatabaseSecret>;
  readonly previous?: LabelledVersion<DatabaseSecret>;
}

/** The credentials of an alias that are a secret: a user name and a password. */
export class DatabaseCredentials implements CredentialsSource {
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
