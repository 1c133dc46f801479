import { within } from '../../pool/connection.ts';
import { type DriverError, saysReadOnlyServer } from '../errors.ts';
import type { Ask } from './own-statement.ts';

/** `innodb_read_only` is what Aurora's readers have. With a LIMIT a caller's `sql_select_limit` has no say. */
const ROLE_QUERY = 'SELECT @@global.read_only, @@global.innodb_read_only LIMIT 1';
/** A caller waits for the answer. */
const ANSWER_TIMEOUT_MS = 200;

/**
 * Notices that a server which took writes has stopped taking them, as in a failover. An error alone proves nothing (a
 * caller can raise any), so the server is asked. A server that was read-only at login has not changed.
 */
export class ServerRoleMonitor {
  readonly #ask: Ask;
  #tookWrites = false;
  #hasChanged = false;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  get hasChanged(): boolean {
    return this.#hasChanged;
  }

  /** Notes what the server is at the login. */
  async begin(): Promise<void> {
    this.#tookWrites = !(await this.#isReadOnly());
  }

  /**
   * Whether the server takes no writes. It is asked if this failure of a statement says so. Never rejects: a server that
   * does not answer in time is taken for what it was at the login.
   */
  async confirms(error: DriverError): Promise<boolean> {
    if (!saysReadOnlyServer(error)) return false;
    const isReadOnly = await within(ANSWER_TIMEOUT_MS, this.#isReadOnly()).catch(() => !this.#tookWrites);
    this.#hasChanged ||= this.#tookWrites && isReadOnly;
    return isReadOnly;
  }

  async #isReadOnly(): Promise<boolean> {
    const rows = await this.#ask(ROLE_QUERY);
    // MariaDB is to have other words than ON: whatever is not off is on.
    return rows.flat().some((value) => !['0', 'OFF'].includes(String(value)));
  }
}
