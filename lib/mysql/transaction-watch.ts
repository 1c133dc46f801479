import type { MysqlConnection } from './mysql-connection.ts';

const COUNTS = ['Com_begin', 'Com_commit', 'Com_rollback'] as const;
const COUNTS_QUERY = `SHOW SESSION STATUS WHERE Variable_name IN (${COUNTS.map((name) => `'${name}'`).join(', ')})`;

/**
 * How a transaction may be found ended:
 * - `committed`: by a statement that commits, inside of a procedure or by itself;
 * - `rolled_back`: by the server, or by a procedure's ROLLBACK;
 * - `unclear`: by a procedure that has done more than one thing to it.
 */
export type FoundEnd = 'committed' | 'rolled_back' | 'unclear';

/**
 * Finds out whether a transaction still is the one that was begun. A procedure may commit and begin another: the
 * server's flag then says the same as before, but the session's counters do not.
 */
export class TransactionWatch {
  readonly #connection: MysqlConnection;
  #before: ReadonlyMap<string, number> | undefined;

  constructor(connection: MysqlConnection) {
    this.#connection = connection;
  }

  /** Before a statement that may end the transaction unasked. */
  async begin(): Promise<void> {
    this.#before ??= await this.#counts();
  }

  /** After such a statement, whether it failed or not. */
  async check(): Promise<FoundEnd | undefined> {
    const before = this.#before;
    this.#before = await this.#counts();
    const [begun, committed, rolledBack] = COUNTS.map(
      (name) => (this.#before?.get(name) ?? 0) > (before?.get(name) ?? 0),
    );
    const isOpen = await this.isOpen();
    if (!begun && !committed && !rolledBack) return isOpen ? undefined : 'committed';
    // What begins another commits the one before, unless that was rolled back already.
    if (!rolledBack) return 'committed';
    return begun || committed || isOpen ? 'unclear' : 'rolled_back';
  }

  /** Asks the server, for whom an error says nothing of the transaction. */
  async isOpen(): Promise<boolean> {
    await this.#connection.command('DO 0');
    return this.#connection.isInTransaction;
  }

  async #counts(): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.#connection.command(COUNTS_QUERY);
    return new Map(rows.map(([name, count]) => [String(name), Number(count)]));
  }
}
