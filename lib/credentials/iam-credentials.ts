import type { RdsToken, RdsTokenSigner, TokenUse } from '../aws/rds-token.ts';
import type { CredentialsSource, ServerAddress, ServerLogin } from './login.ts';
import type { SourceStatus } from './versioned-source.ts';

interface IamLogin extends TokenUse {
  readonly alias: string;
  readonly database: string | undefined;
}

/**
 * RDS IAM authentication: each version is a token. Connections outlive their token, so a new one does not replace them.
 */
export class IamCredentials implements CredentialsSource {
  readonly id: string;
  readonly #login: IamLogin;
  readonly #signer: RdsTokenSigner;
  readonly #minRefreshIntervalMs: number;
  #token: (RdsToken & { readonly versionId: string }) | undefined;
  #signing: Promise<ServerLogin> | undefined;
  #tokens = 0;
  #signedAtMs: number | undefined;
  #failure: Error | undefined;
  /** A refused token is not replaced before this moment of the monotonic clock. */
  #replaceableAtMs = 0;

  constructor(login: IamLogin, signer: RdsTokenSigner, minRefreshIntervalMs: number) {
    this.id = `iam ${login.alias}`;
    this.#login = login;
    this.#signer = signer;
    this.#minRefreshIntervalMs = minRefreshIntervalMs;
  }

  async current(): Promise<ServerLogin> {
    const token = this.#token;
    if (token !== undefined && Date.now() < token.usableUntilMs) return this.#loginWith(token);
    return await this.#signOnce();
  }

  async refresh(rejectedVersionId?: string): Promise<ServerLogin> {
    if (rejectedVersionId === undefined) return await this.#signOnce();
    const isOther = this.#token?.versionId !== rejectedVersionId;
    if (isOther || performance.now() < this.#replaceableAtMs) return await this.current();
    this.#replaceableAtMs = performance.now() + this.#minRefreshIntervalMs;
    return await this.#signOnce();
  }

  /** At most one new token for each login. */
  async alternative(refusedVersionIds: ReadonlySet<string>): Promise<ServerLogin | undefined> {
    if (refusedVersionIds.size > 1) return undefined;
    const [refused] = refusedVersionIds;
    const login = await this.refresh(refused);
    return login.versionId === refused ? undefined : login;
  }

  accepted(): void {}

  isCurrent(): boolean {
    return true;
  }

  onChange(): void {}

  address(): ServerAddress {
    const { host, port } = this.#login;
    return { host, port };
  }

  status(): SourceStatus {
    return {
      versionId: this.#token?.versionId,
      fetchedAtMs: this.#signedAtMs,
      lastFailure: this.#failure?.message,
      failure: this.#failure,
    };
  }

  start(): void {}

  close(): void {}

  async #signOnce(): Promise<ServerLogin> {
    this.#signing ??= this.#sign();
    return await this.#signing;
  }

  async #sign(): Promise<ServerLogin> {
    try {
      const token = await this.#signer.sign(this.#login);
      this.#tokens += 1;
      this.#token = { ...token, versionId: `token-${this.#tokens}` };
      this.#failure = undefined;
      return this.#loginWith(this.#token);
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error('No token could be made', { cause: error });
      throw error;
    } finally {
      this.#signedAtMs = Date.now();
      this.#signing = undefined;
    }
  }

  #loginWith({ versionId, text }: RdsToken & { readonly versionId: string }): ServerLogin {
    const { host, port, database, username } = this.#login;
    const login = { versionId, host, port, database, username, password: text, isToken: true };
    return Object.defineProperty(login, 'password', { enumerable: false });
  }
}
