import { within } from '../pool/connection.ts';
import { type DriverError, saysReadOnlyServer } from './failure.ts';
import type { Ask } from './own-statement.ts';

/** `innodb_read_only` is what Aurora's readers have. */
const ROLE_QUERY = 'SELECT @@global.read_only, @@global.innodb_read_only';
/** A caller waits for the answer. */
const ANSWER_TIMEOUT_MS = 200;

/**
 * Notices that a server which took writes has stopped taking them, as in a failover. The server's own word counts: an
 * error alone may be of a caller's making, and on a server that never took writes it is no news.
 */
export class RoleWatch {
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

  /** Asks again, if this failure of a statement speaks of a server that takes no writes. Never rejects. */
  async doubt(error: DriverError): Promise<void> {
    if (!this.#tookWrites || !saysReadOnlyServer(error)) return;
    this.#hasChanged = await within(ANSWER_TIMEOUT_MS, this.#isReadOnly()).catch(() => false);
  }

  async #isReadOnly(): Promise<boolean> {
    const rows = await this.#ask(ROLE_QUERY);
    // MariaDB is to have other words than ON: whatever is not off is on.
    return rows.flat().some((value) => !['0', 'OFF'].includes(String(value)));
  }
}
