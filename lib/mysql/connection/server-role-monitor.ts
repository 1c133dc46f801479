import { within } from '../../pool/connection.ts';
import { type DriverError, saysReadOnlyServer } from '../errors.ts';
import type { CommandRunner } from './command-runner.ts';

/** Aurora's readers have `innodb_read_only`. The LIMIT overrides a caller's `sql_select_limit`. */
const ROLE_QUERY = 'SELECT @@global.read_only, @@global.innodb_read_only LIMIT 1';
/** A caller waits for the answer. */
const ANSWER_TIMEOUT_MS = 200;

/**
 * Notices that a writable server has become read-only, as in a failover. An error alone proves nothing (a caller can raise
 * any), so the server is asked. A server that was read-only at login has not changed.
 */
export class ServerRoleMonitor {
  readonly #runCommand: CommandRunner;
  #tookWrites = false;
  #hasChanged = false;

  constructor(runCommand: CommandRunner) {
    this.#runCommand = runCommand;
  }

  get hasChanged(): boolean {
    return this.#hasChanged;
  }

  /** Notes the server's role at the login. */
  async begin(): Promise<void> {
    this.#tookWrites = !(await this.#isReadOnly());
  }

  /**
   * Whether the server is read-only. Asks the server if this failure of a statement suggests it. Never rejects: without an
   * answer in time the role at the login counts.
   */
  async confirms(error: DriverError): Promise<boolean> {
    if (!saysReadOnlyServer(error)) return false;
    const isReadOnly = await within(ANSWER_TIMEOUT_MS, this.#isReadOnly()).catch(() => !this.#tookWrites);
    this.#hasChanged ||= this.#tookWrites && isReadOnly;
    return isReadOnly;
  }

  async #isReadOnly(): Promise<boolean> {
    const rows = await this.#runCommand(ROLE_QUERY);
    // Newer MariaDB has more values than ON.
    return rows.flat().some((value) => !['0', 'OFF'].includes(String(value)));
  }
}
