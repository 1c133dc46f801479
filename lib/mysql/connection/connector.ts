import { Deadline } from '../../async/deadline.ts';
import {
  type CredentialsSource,
  isSameAccount,
  type ServerAddress,
  type ServerLogin,
} from '../../credentials/login.ts';
import type { BrokerError } from '../../errors.ts';
import { type Connector, within } from '../../pool/connection.ts';
import type { DatabaseSettings } from '../../settings/settings.ts';
import {
  connectFailure,
  connectVerdict,
  credentialsOverdue,
  isRefusedLogin,
  settingRefused,
} from '../connect-errors.ts';
import { openDriver } from '../driver/open-driver.ts';
import { type Encryption, encryptionOf } from '../driver/tls.ts';
import { type Flavour, isServerError } from '../errors.ts';
import type { KillConnection } from './kill/kill-channel.ts';
import { KillTarget } from './kill/kill-target.ts';
import { type LoginAttempts, LoginThrottle } from './login-throttle.ts';
import { MysqlConnection } from './mysql-connection.ts';
import { refusedSetting, sessionStatement } from './session-statement.ts';

/** The kill connection of a server. A host name can lead to several servers. */
export type KillConnectionFor = (address: ServerAddress) => KillConnection;

/** Least time to set the session, if the process was busy when the login was answered in time. */
const MIN_SETUP_MS = 200;

/** Twice the time that reads sent together may take: beyond it, one of them is not quick. */
export function holdUpOf({
  maxPipelined,
  pipelineFasterThanMs,
}: Pick<DatabaseSettings['pool'], 'maxPipelined' | 'pipelineFasterThanMs'>): number {
  return 2 * maxPipelined * pipelineFasterThanMs;
}

/** Opens connections to one database, with its current credentials and its session settings. */
export class MysqlConnector implements Connector<MysqlConnection> {
  readonly #settings: DatabaseSettings;
  readonly #source: CredentialsSource;
  readonly #killConnectionFor: KillConnectionFor;
  readonly #throttle: LoginThrottle;
  readonly #encryption: Encryption;

  constructor(
    settings: DatabaseSettings,
    source: CredentialsSource,
    killConnectionFor: KillConnectionFor,
    throttle = new LoginThrottle(),
  ) {
    this.#settings = settings;
    this.#source = source;
    this.#killConnectionFor = killConnectionFor;
    this.#throttle = throttle;
    this.#encryption = encryptionOf(settings.tls);
  }

  readonly verdict = connectVerdict;
  readonly isAnswer = isServerError;

  /**
   * A refused login may mean that the password was rotated, or is being rotated: the alternatives are tried once each, and
   * again if the server's password is found to have changed.
   */
  async open(timeoutMs: number): Promise<MysqlConnection> {
    const deadline = Deadline.after(timeoutMs);
    const refused = new Set<string>();
    let login = await within(deadline.remainingMs, this.#source.current()).catch(credentialsOverdue);
    for (;;) {
      const attempts = this.#throttle.of(this.#source.id, login);
      const { changes } = attempts;
      try {
        return await this.#tryLogin(login, attempts, deadline);
      } catch (error) {
        if (!isRefusedLogin(error) || deadline.hasPassed) throw error;
        if (attempts.changes !== changes) refused.clear();
        if (attempts.isRefused) refused.add(login.versionId);
        const fetched = this.#source.alternative(refused);
        const alternative = await within(deadline.remainingMs, fetched).catch(() => undefined);
        if (alternative === undefined) throw error;
        login = alternative;
      }
    }
  }

  async prove(timeoutMs: number): Promise<void> {
    const deadline = Deadline.after(timeoutMs);
    const login = await within(deadline.remainingMs, this.#source.current());
    const attempts = this.#throttle.of(this.#source.id, login);
    const logIn = async () => await openDriver(login, this.#encryption, deadline.remainingMs);
    await this.#killConnectionFor(login).whileClosed(async () => {
      const { connection, socket, closed } = await attempts.run(logIn, deadline);
      connection.end();
      await within(deadline.remainingMs, closed).catch(() => socket.destroy());
    });
  }

  async #tryLogin(login: ServerLogin, attempts: LoginAttempts, deadline: Deadline): Promise<MysqlConnection> {
    const connection = await attempts.run(async () => await this.#connect(login, deadline), deadline);
    this.#source.accepted(login);
    return connection;
  }

  async #connect(login: ServerLogin, deadline: Deadline): Promise<MysqlConnection> {
    const driver = await openDriver(login, this.#encryption, deadline.remainingMs);
    const { session, limits } = this.#settings;
    const connection = new MysqlConnection(driver, {
      sessionStatement: sessionStatement(session, driver.flavour, limits.queryTimeoutMs),
      resetOnCheckin: this.#settings.pool.resetOnCheckin,
      exposeMysqlMessages: this.#settings.exposeMysqlMessages,
      holdUpMs: holdUpOf(this.#settings.pool),
      isOutdated: () => !this.#source.isCurrent(login),
      killChannel: this.#killConnectionFor(driver.address),
      killTarget: new KillTarget(driver, {
        loginKey: login.username,
        login: async (timeoutMs) =>
          await openDriver(await this.#currentLogin(login), this.#encryption, timeoutMs, driver.address),
      }),
    });
    try {
      await within(Math.max(MIN_SETUP_MS, deadline.remainingMs), connection.begin());
      return connection;
    } catch (error) {
      const failure = await this.#sessionFailure(connection, driver.flavour, error, deadline);
      connection.destroy();
      throw failure;
    }
  }

  /** If the server refused the session, finds out which setting it refuses. */
  async #sessionFailure(
    connection: MysqlConnection,
    flavour: Flavour,
    error: unknown,
    deadline: Deadline,
  ): Promise<BrokerError> {
    const { session, limits } = this.#settings;
    if (isServerError(error) && connection.isUsable) {
      const found = refusedSetting(session, flavour, limits.queryTimeoutMs, (sql) => connection.command(sql));
      const refused = await within(deadline.remainingMs, found).catch(() => undefined);
      if (refused !== undefined) return settingRefused(refused.setting, refused.error);
    }
    return connectFailure(error instanceof Error ? error : new Error(String(error)));
  }

  /** The current login of the same account, whose password may have changed. */
  async #currentLogin(login: ServerLogin): Promise<ServerLogin> {
    const current = await this.#source.current();
    return isSameAccount(current, login) ? current : login;
  }
}
