import type { Flavour } from './failure.ts';
import type { StatementResult } from './result-collector.ts';
import type { StatementEffect } from './statement-effect.ts';

const ROLE_QUERY = 'SELECT CURRENT_ROLE()';

/**
 * Notices that a procedure has given the connection another role. On MariaDB no reset takes that back, and the next
 * caller would act with its privileges.
 */
export class PrivilegesWatch {
  readonly #ask: (sql: string) => Promise<StatementResult>;
  readonly #isNeeded: boolean;
  /** Of the login; read before the first statement that might change it. */
  #role: string | undefined;
  #isInDoubt = false;

  constructor(ask: (sql: string) => Promise<StatementResult>, flavour: Flavour) {
    this.#ask = ask;
    this.#isNeeded = flavour === 'mariadb';
  }

  async before(effect: StatementEffect): Promise<void> {
    if (!this.#isNeeded || effect !== 'anything') return;
    this.#role ??= await this.#currentRole();
    this.#isInDoubt = true;
  }

  /** Rejects if the connection has another role than at its login. */
  async check(): Promise<void> {
    if (!this.#isInDoubt) return;
    if ((await this.#currentRole()) !== this.#role) throw new Error('The connection has another role');
    this.#isInDoubt = false;
  }

  async #currentRole(): Promise<string> {
    const { rows } = await this.#ask(ROLE_QUERY);
    return String(rows[0]?.[0]);
  }
}
