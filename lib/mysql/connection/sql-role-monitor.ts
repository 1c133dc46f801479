import type { CommandRunner } from './command-runner.ts';

/**
 * Each server reads its own part; MySQL before 8.0 has no roles and reads neither. The LIMIT overrides a caller's
 * sql_select_limit, which a mere ROLLBACK does not reset.
 *
 * Its one row is also what FOUND_ROWS() tells the next holder: COM_RESET_CONNECTION keeps what the last statement found.
 */
const ROLE_QUERY = "SELECT CONCAT('' /*!80000 , CURRENT_ROLE() */ /*M!100000 , CURRENT_ROLE() */) LIMIT 1";

/**
 * Notices that a procedure, or a function in a view, has changed the connection's role. No reset undoes that, and the next
 * caller would have its privileges.
 */
export class SqlRoleMonitor {
  readonly #runCommand: CommandRunner;
  #loginRole: string | undefined;

  constructor(runCommand: CommandRunner) {
    this.#runCommand = runCommand;
  }

  /** Notes the role at the login. */
  async begin(): Promise<void> {
    this.#loginRole = await this.#currentRole();
  }

  /** Rejects if the connection has another role than at its login. */
  async check(): Promise<void> {
    if ((await this.#currentRole()) !== this.#loginRole) throw new Error('The connection has another role');
  }

  async #currentRole(): Promise<string> {
    const rows = await this.#runCommand(ROLE_QUERY);
    return String(rows[0]?.[0]);
  }
}
