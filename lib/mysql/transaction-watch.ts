import type { MysqlConnection } from './mysql-connection.ts';

/** Of each kind of statement. */
const COUNTERS_QUERY = "SHOW SESSION STATUS WHERE Variable_name LIKE 'Com%' AND Value > 0";

/** Counts our own looks, and so tells whether the others were set to zero. */
const LOOKS = 'Com_show_status';

const ENDING = ['Com_begin', 'Com_commit', 'Com_rollback'];

/** May be that of autocommit. */
const SETTING = 'Com_set_option';

/** Kinds of statements that surely end no transaction. */
const HARMLESS = new Set(
  `show_status show_warnings select insert insert_select update update_multi delete delete_multi replace replace_select
   do call_procedure prepare_sql execute_sql execute_immediate dealloc_sql stmt_prepare stmt_execute stmt_close signal
   resignal get_diagnostics savepoint release_savepoint rollback_to_savepoint create_temporary_table drop_temporary_table`
    .split(/\s+/)
    .map((kind) => `Com_${kind}`),
);

/** What values are bound for. The server puts it back after a procedure, but not after what that has prepared. */
const READING_QUERY = 'SELECT @@SESSION.sql_mode, @@SESSION.character_set_client';

/**
 * How a transaction may be found ended:
 * - `committed`: by a statement that commits, inside of a procedure or by itself;
 * - `rolled_back`: by a procedure's ROLLBACK;
 * - `taken_back`: by the server, as in a deadlock; what a procedure has done after that lasts;
 * - `unclear`: by a procedure that has done more than one thing to it, or has set a variable that may have ended it;
 * - `unreadable`: it goes on, but in a session that reads SQL text in another way.
 */
export type FoundEnd = 'committed' | 'rolled_back' | 'taken_back' | 'unclear' | 'unreadable';

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
    const grown = [...now.counters].filter(([name, count]) => count > (before?.counters.get(name) ?? 0));
    const kinds = new Set(grown.map(([name]) => name));
    if (!kinds.has(LOOKS)) return 'unclear';
    const [begun, committed, rolledBack] = ENDING.map((name) => kinds.has(name));
    if (begun || committed || rolledBack) {
      // What begins another commits the one before, unless that was rolled back already.
      if (!rolledBack) return 'committed';
      return begun || committed || isOpen ? 'unclear' : 'rolled_back';
    }
    if (!isOpen) return endedBy([...kinds].filter((kind) => !HARMLESS.has(kind)));
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
      counters: new Map(counters.map(([name, count]) => [String(name), Number(count)])),
      reading: JSON.stringify(reading),
    };
  }
}

/** What has ended a transaction that no statement has ended by its name. */
function endedBy(suspects: readonly string[]): FoundEnd {
  if (suspects.length === 0) return 'taken_back';
  return suspects.every((kind) => kind === SETTING) ? 'unclear' : 'committed';
}
