import type { Flavour } from '../errors.ts';
import type { Ask } from './own-statement.ts';

/** The server hangs up on a reader that takes nothing for so long. Far more than we wait for one ourselves. */
const STREAM_WRITE_TIMEOUT_S = 3_600;

/**
 * The server's own limit of a statement's time. It counts the time that the reader of its rows takes, so a stream
 * lifts it.
 */
export class StatementLimit {
  readonly #ask: Ask;
  readonly #names: readonly [limit: string, writeTimeout: string];
  /** What both were before it was lifted. */
  #before: readonly string[] | undefined;

  constructor(ask: Ask, flavour: Flavour) {
    this.#ask = ask;
    const limit = flavour === 'mysql' ? 'max_execution_time' : 'max_statement_time';
    this.#names = [`@@SESSION.${limit}`, '@@SESSION.net_write_timeout'];
  }

  get isLifted(): boolean {
    return this.#before !== undefined;
  }

  async lift(): Promise<void> {
    if (this.isLifted) return;
    // A LIMIT of its own is stronger than a sql_select_limit that a caller has set.
    const [row] = await this.#ask(`SELECT ${this.#names.join(', ')} LIMIT 1`);
    const before = this.#names.map((_, index) => String(row?.[index]));
    await this.#set(['0', String(STREAM_WRITE_TIMEOUT_S)]);
    this.#before = before;
  }

  /** Call only when `isLifted`: the caller checks, so that the common case allocates no promise. */
  async restore(): Promise<void> {
    if (this.#before !== undefined) await this.#set(this.#before);
    this.#before = undefined;
  }

  /** The session was set anew. */
  forget(): void {
    this.#before = undefined;
  }

  async #set(values: readonly string[]): Promise<void> {
    await this.#ask(`SET ${this.#names.map((name, index) => `${name} = ${values[index]}`).join(', ')}`);
  }
}
