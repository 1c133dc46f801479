import { type Connector, within } from '../pool/connection.ts';
import { Deadline } from '../pool/deadline.ts';
import type { CredentialsSource, ServerLogin } from '../settings/credentials-source.ts';
import type { DatabaseSettings } from '../settings/settings.ts';
import type { Control } from './control.ts';
import { openDriver } from './driver.ts';
import {
  connectFailure,
  connectVerdict,
  credentialsOverdue,
  isRefusedLogin,
  isServerError,
} from './failure.ts';
import { MysqlConnection } from './mysql-connection.ts';
import { sessionStatement } from './session.ts';
import { type TlsOptions, tlsOptions } from './tls.ts';

/** Control connections, one a server, by `host:port`. */
export type ControlFor = (login: ServerLogin) => Control;

/** Opens connections to one configured database, with its credentials of the moment and its session. */
export class MysqlConnector implements Connector<MysqlConnection> {
  readonly #settings: DatabaseSettings;
  readonly #source: CredentialsSource;
  readonly #controlFor: ControlFor;
  readonly #tls: TlsOptions | undefined;

  constructor(settings: DatabaseSettings, source: CredentialsSource, controlFor: ControlFor) {
    this.#settings = settings;
    this.#source = source;
    this.#controlFor = controlFor;
    this.#tls = tlsOptions(settings.tls);
  }

  readonly verdict = connectVerdict;
  readonly isAnswer = isServerError;

  /** A refused login may mean that the password was rotated: the credentials are looked at again, once. */
  async open(timeoutMs: number): Promise<MysqlConnection> {
    const deadline = Deadline.after(timeoutMs);
    const login = await within(deadline.remainingMs, this.#source.current()).catch(credentialsOverdue);
    try {
      return await this.#connect(login, deadline);
    } catch (error) {
      if (!isRefusedLogin(error)) throw error;
      const fresh = await within(deadline.remainingMs, this.#source.refresh(login.versionId)).catch(
        () => login,
      );
      if (fresh.versionId === login.versionId) throw error;
      return await this.#connect(fresh, deadline);
    }
  }

  async #connect(login: ServerLogin, deadline: Deadline): Promise<MysqlConnection> {
    const driver = await openDriver(login, this.#tls, deadline.remainingMs);
    const { session, limits } = this.#settings;
    const connection = new MysqlConnection(driver, {
      sessionStatement: sessionStatement(session, driver.flavour, limits.queryTimeoutMs),
      resetOnCheckin: this.#settings.pool.resetOnCheckin,
      exposeMysqlMessages: this.#settings.exposeMysqlMessages,
      control: this.#controlFor(login),
      victim: {
        threadId: driver.connection.threadId,
        loginKey: `${login.username}@${login.versionId}`,
        hasEnded: () => driver.socket.destroyed,
        login: async (timeoutMs) => await openDriver(login, this.#tls, timeoutMs),
      },
    });
    try {
      await within(deadline.remainingMs, connection.begin());
      return connection;
    } catch (error) {
      connection.destroy();
      throw connectFailure(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
