import type { ServerLogin } from '../../credentials/login.ts';
import { BrokerError } from '../../errors.ts';
import { within } from '../../pool/connection.ts';
import type { TlsSettings } from '../../settings/settings.ts';
import { type Driver, openDriver } from '../driver/open-driver.ts';
import { encryptionOf } from '../driver/tls.ts';
import { type Flavour, isServerError } from '../errors.ts';

const LOGIN_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 1_000;

/** Literals and the output of SHOW GRANTS depend on these variables. */
const SESSION = "SET SESSION sql_mode = '', sql_quote_show_create = 1";

/** Integers that a number would round are returned as strings. */
const EXACT_INTEGERS = { supportBigNumbers: true, bigNumberStrings: true };

export type Cell = string | number | null;

/**
 * A login that manages accounts. Its statements and the server's messages can hold passwords, so failures include neither.
 */
export class AdminSession implements AsyncDisposable {
  readonly flavour: Flavour;
  readonly #driver: Driver;

  private constructor(driver: Driver) {
    this.#driver = driver;
    this.flavour = driver.flavour;
  }

  /** @throws {BrokerError} CREDENTIALS_REFUSED or DATABASE_UNREACHABLE. */
  static async open(login: ServerLogin, tls: TlsSettings): Promise<AdminSession> {
    const session = new AdminSession(await openDriver(login, encryptionOf(tls), LOGIN_TIMEOUT_MS));
    try {
      await session.run(SESSION);
      return session;
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  async run(sql: string): Promise<void> {
    await this.rows(sql);
  }

  /** The cells of each row, in column order. */
  async rows(sql: string): Promise<readonly (readonly Cell[])[]> {
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#driver.connection.query({ sql, rowsAsArray: true, ...EXACT_INTEGERS }, (error, rows) =>
        error ? reject(error) : resolve(rows),
      );
    });
    try {
      const rows = await within(STATEMENT_TIMEOUT_MS, answer);
      return Array.isArray(rows) ? rows : [];
    } catch (error) {
      throw statementFailure(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { connection, socket, closed } = this.#driver;
    connection.end();
    await within(CLOSE_TIMEOUT_MS, closed).catch(() => socket.destroy());
  }
}

function statementFailure(error: unknown): BrokerError {
  if (!isServerError(error)) {
    return new BrokerError('CONNECTION_LOST', 'The connection to the database was lost during the rotation', {
      outcome: 'unknown',
    });
  }
  const { errno, sqlState = '' } = error;
  return new BrokerError('SQL_ERROR', `The database refused a statement of the rotation (error ${errno})`, {
    mysql: { errno, sqlState },
  });
}
