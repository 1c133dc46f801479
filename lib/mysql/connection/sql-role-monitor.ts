import type { Ask } from './own-statement.ts';

/**
 * Each server reads the part that is meant for it; MySQL before 8.0 knows no roles and reads neither. Where a reset wipes
 * nothing, a caller's sql_select_limit is in force: a LIMIT of its own is stronger.
 */
const ROLE_QUERY = "SELECT CONCAT('' /*!80000 , CURRENT_ROLE() */ /*M!100000 , CURRENT_ROLE() */) LIMIT 1";

/**
 * Notices that a procedure, or a function in a view, has given the connection another role. No reset takes that
 * back, and the next caller would act with its privileges.
 */
export class SqlRoleMonitor {
  readonly #ask: Ask;
  #loginRole: string | undefined;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Remembers the role of a fresh login. */
  async begin(): Promise<void> {
    this.#loginRole = await this.#currentRole();
  }

  /** Rejects if the connection has another role than at its login. */
  async check(): Promise<void> {
    if ((await this.#currentRole()) !== this.#loginRole) throw new Error('The connection has another role');
  }

  async #currentRole(): Promise<string> {
    const rows = await this.#ask(ROLE_QUERY);
    return String(rows[0]?.[0]);
  }
}
