import type { Flavour } from '../errors.ts';
import type { CommandRunner } from './command-runner.ts';

/** The server hangs up on a client that reads nothing for this time. Far above the broker's own limit. */
const STREAM_WRITE_TIMEOUT_S = 3_600;

/**
 * The server's own time limit for statements. It includes the time of a slow reader, so a stream lifts it.
 */
export class ServerTimeLimit {
  readonly #runCommand: CommandRunner;
  readonly #names: readonly [limit: string, writeTimeout: string];
  /** What both were before it was lifted. */
  #before: readonly string[] | undefined;

  constructor(runCommand: CommandRunner, flavour: Flavour) {
    this.#runCommand = runCommand;
    const limit = flavour === 'mysql' ? 'max_execution_time' : 'max_statement_time';
    this.#names = [`@@SESSION.${limit}`, '@@SESSION.net_write_timeout'];
  }

  get isLifted(): boolean {
    return this.#before !== undefined;
  }

  async lift(): Promise<void> {
    if (this.isLifted) return;
    // The LIMIT overrides a caller's sql_select_limit.
    const [row] = await this.#runCommand(`SELECT ${this.#names.join(', ')} LIMIT 1`);
    const before = this.#names.map((_, index) => String(row?.[index]));
    await this.#set(['0', String(STREAM_WRITE_TIMEOUT_S)]);
    this.#before = before;
  }

  /** Call only when `isLifted`: the caller checks, so that the common case allocates no promise. */
  async restore(): Promise<void> {
    if (this.#before !== undefined) await this.#set(this.#before);
    this.#before = undefined;
  }

  /** The session was set again, and the limit with it. */
  forget(): void {
    this.#before = undefined;
  }

  async #set(values: readonly string[]): Promise<void> {
    await this.#runCommand(
      `SET ${this.#names.map((name, index) => `${name} = ${values[index]}`).join(', ')}`,
    );
  }
}
