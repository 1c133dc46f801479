import type { MysqlConnection } from './mysql-connection.ts';

/** The last one counts our own looks, and so tells whether the others were set to zero. */
const COUNTERS = ['Com_begin', 'Com_commit', 'Com_rollback', 'Com_show_status'];
const COUNTERS_QUERY = `SHOW SESSION STATUS WHERE Variable_name IN (${COUNTERS.map((name) => `'${name}'`).join(', ')})`;

/** What values are bound for. The server puts it back after a procedure, but not after what that has prepared. */
const READING_QUERY = 'SELECT @@SESSION.sql_mode, @@SESSION.character_set_client';

/**
 * How a transaction may be found ended:
 * - `committed`: by a statement that commits, inside of a procedure or by itself;
 * - `rolled_back`: by the server, or by a procedure's ROLLBACK;
 * - `unclear`: by a procedure that has done more than one thing to it;
 * - `unreadable`: it goes on, but in a session that reads SQL text in another way.
 */
export type FoundEnd = 'committed' | 'rolled_back' | 'unclear' | 'unreadable';

interface SessionState {
  readonly counters: ReadonlyMap<string, number>;
  readonly reading: string;
}

/**
 * Finds out whether a transaction still is the one that was begun. A procedure may commit and begin another: the
 * server's flag then says the same as before, but the session's counters do not.
 */
export class TransactionWatch {
  readonly #connection: MysqlConnection;
  #before: SessionState | undefined;

  constructor(connection: MysqlConnection) {
    this.#connection = connection;
  }

  /** Before a statement that may end the transaction unasked. */
  async begin(): Promise<void> {
    this.#before ??= await this.#look();
  }

  /** After such a statement, whether it failed or not. */
  async check(): Promise<FoundEnd | undefined> {
    const before = this.#before;
    const now = await this.#look();
    this.#before = now;
    const isOpen = await this.isOpen();
    const hasGrown = (name: string) => (now.counters.get(name) ?? 0) > (before?.counters.get(name) ?? 0);
    const [begun, committed, rolledBack, looked] = COUNTERS.map(hasGrown);
    if (!looked) return 'unclear';
    if (begun || committed || rolledBack) {
      // What begins another commits the one before, unless that was rolled back already.
      if (!rolledBack) return 'committed';
      return begun || committed || isOpen ? 'unclear' : 'rolled_back';
    }
    if (!isOpen) return 'committed';
    return now.reading === before?.reading ? undefined : 'unreadable';
  }

  /** Asks the server, for whom an error says nothing of the transaction. */
  async isOpen(): Promise<boolean> {
    await this.#connection.command('DO 0');
    return this.#connection.isInTransaction;
  }

  async #look(): Promise<SessionState> {
    const reading = await this.#connection.command(READING_QUERY);
    const counters = await this.#connection.command(COUNTERS_QUERY);
    return {
      counters: new Map(counters.rows.map(([name, count]) => [String(name), Number(count)])),
      reading: JSON.stringify(reading.rows),
    };
  }
}
