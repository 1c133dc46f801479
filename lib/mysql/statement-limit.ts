import type { Flavour } from './failure.ts';
import type { Ask } from './own-statement.ts';

/** The server hangs up on a reader that takes nothing for so long. Far more than we wait for one ourselves. */
const STREAM_WRITE_TIMEOUT_S = 3_600;

/**
 * The server's own limit of a statement's time. It counts the time that the reader of its rows takes, so a stream
 * lifts it.
 */
export class StatementLimit {
  readonly #ask: Ask;
  readonly #variable: string;
  /** What it was before it was lifted. */
  #before: string | undefined;

  constructor(ask: Ask, flavour: Flavour) {
    this.#ask = ask;
    this.#variable = flavour === 'mysql' ? 'max_execution_time' : 'max_statement_time';
  }

  get isLifted(): boolean {
    return this.#before !== undefined;
  }

  async lift(): Promise<void> {
    if (this.isLifted) return;
    const rows = await this.#ask(`SELECT @@SESSION.${this.#variable}`);
    this.#before = String(rows[0]?.[0]);
    await this.#ask(
      `SET @@SESSION.${this.#variable} = 0, @@SESSION.net_write_timeout = ${STREAM_WRITE_TIMEOUT_S}`,
    );
  }

  /** It was lifted: few statements find it so, and a promise of each that does not would be in vain. */
  async restore(): Promise<void> {
    await this.#ask(`SET @@SESSION.${this.#variable} = ${this.#before}`);
    this.#before = undefined;
  }

  /** The session was set anew. */
  forget(): void {
    this.#before = undefined;
  }
}
