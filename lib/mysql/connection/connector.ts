import { Deadline } from '../../async/deadline.ts';
import type { CredentialsSource, ServerLogin } from '../../credentials/login.ts';
import { isSameAccount } from '../../credentials/login.ts';
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
import { openDriver, type ServerAddress } from '../driver/open-driver.ts';
import { type Encryption, encryptionOf } from '../driver/tls.ts';
import { type Flavour, isServerError } from '../errors.ts';
import type { KillConnection } from './kill-channel.ts';
import { KillTarget } from './kill-target.ts';
import { type LoginAttempts, LoginThrottle } from './login-throttle.ts';
import { MysqlConnection } from './mysql-connection.ts';
import { refusedSetting, sessionStatement } from './session-statement.ts';

/** Control connections, one a server. A name can lead to several. */
export type ControlFor = (address: ServerAddress) => KillConnection;

/** A login that was answered in time, though the process was too busy to see that, has a moment left for its session. */
const LEAST_SET_UP_MS = 200;

/** Opens connections to one configured database, with its credentials of the moment and its session. */
export class MysqlConnector implements Connector<MysqlConnection> {
  readonly #settings: DatabaseSettings;
  readonly #source: CredentialsSource;
  readonly #controlFor: ControlFor;
  readonly #trials: LoginThrottle;
  readonly #encryption: Encryption;

  constructor(
    settings: DatabaseSettings,
    source: CredentialsSource,
    controlFor: ControlFor,
    trials = new LoginThrottle(),
  ) {
    this.#settings = settings;
    this.#source = source;
    this.#controlFor = controlFor;
    this.#trials = trials;
    this.#encryption = encryptionOf(settings.tls);
  }

  readonly verdict = connectVerdict;
  readonly isAnswer = isServerError;

  /**
   * A refused login may mean that the password was rotated, or is being rotated: the alternatives are tried, each once
   * for each password that the server is found to have.
   */
  async open(timeoutMs: number): Promise<MysqlConnection> {
    const deadline = Deadline.after(timeoutMs);
    const refused = new Set<string>();
    let login = await within(deadline.remainingMs, this.#source.current()).catch(credentialsOverdue);
    for (;;) {
      const trial = this.#trials.of(this.#source.id, login);
      const { changes } = trial;
      try {
        return await this.#tryLogin(login, trial, deadline);
      } catch (error) {
        if (!isRefusedLogin(error) || deadline.hasPassed) throw error;
        if (trial.changes !== changes) refused.clear();
        if (trial.isRefused) refused.add(login.versionId);
        const looked = this.#source.alternative(refused);
        const alternative = await within(deadline.remainingMs, looked).catch(() => undefined);
        if (alternative === undefined) throw error;
        login = alternative;
      }
    }
  }

  async prove(timeoutMs: number): Promise<void> {
    const deadline = Deadline.after(timeoutMs);
    const login = await within(deadline.remainingMs, this.#source.current());
    const trial = this.#trials.of(this.#source.id, login);
    const logIn = async () => await openDriver(login, this.#encryption, deadline.remainingMs);
    await this.#controlFor(login).alone(async () => {
      const { connection, socket, closed } = await trial.run(logIn, deadline);
      connection.end();
      await within(deadline.remainingMs, closed).catch(() => socket.destroy());
    });
  }

  async #tryLogin(login: ServerLogin, trial: LoginAttempts, deadline: Deadline): Promise<MysqlConnection> {
    const connection = await trial.run(async () => await this.#connect(login, deadline), deadline);
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
      isOutdated: () => !this.#source.isCurrent(login),
      control: this.#controlFor(driver.address),
      victim: new KillTarget(driver, {
        loginKey: login.username,
        login: async (timeoutMs) =>
          await openDriver(await this.#today(login), this.#encryption, timeoutMs, driver.address),
      }),
    });
    try {
      await within(Math.max(LEAST_SET_UP_MS, deadline.remainingMs), connection.begin());
      return connection;
    } catch (error) {
      const failure = await this.#sessionFailure(connection, driver.flavour, error, deadline);
      connection.destroy();
      throw failure;
    }
  }

  /** A server that refused the session is asked what of it. */
  async #sessionFailure(
    connection: MysqlConnection,
    flavour: Flavour,
    error: unknown,
    deadline: Deadline,
  ): Promise<BrokerError> {
    const { session, limits } = this.#settings;
    if (isServerError(error) && connection.isUsable) {
      const asked = refusedSetting(session, flavour, limits.queryTimeoutMs, (sql) => connection.command(sql));
      const refused = await within(deadline.remainingMs, asked).catch(() => undefined);
      if (refused !== undefined) return settingRefused(refused.setting, refused.error);
    }
    return connectFailure(error instanceof Error ? error : new Error(String(error)));
  }

  /** The same account's login as it is now: its password may have changed since. */
  async #today(login: ServerLogin): Promise<ServerLogin> {
    const current = await this.#source.current();
    return isSameAccount(current, login) ? current : login;
  }
}
