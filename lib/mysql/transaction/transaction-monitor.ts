import type { MysqlConnection } from '../connection/mysql-connection.ts';
import type { SessionMark } from '../driver/session-tracker.ts';
import { readStatusCounters } from './status-counters.ts';

/** Kinds of statements that end no transaction; SET of autocommit, which may, is reported by itself. */
const HARMLESS = new Set(
  `begin commit rollback set_option change_db show_status show_warnings select insert insert_select update update_multi delete delete_multi replace replace_select
   do call_procedure prepare_sql execute_sql execute_immediate dealloc_sql stmt_prepare stmt_execute stmt_close signal
   resignal get_diagnostics savepoint release_savepoint rollback_to_savepoint create_temporary_table drop_temporary_table
   show_variables`
    .split(/\s+/)
    .map((kind) => `Com_${kind}`),
);

/**
 * How a transaction may be found ended:
 * - `committed`: by a statement that commits, inside of a procedure or by itself;
 * - `rolled_back`: by a procedure that did nothing but a ROLLBACK;
 * - `rolled_back_and_more`: the same, but what the procedure has done behind it lasts;
 * - `taken_back`: by the server, as in a deadlock;
 * - `unclear`: what has become of it cannot be told for certain;
 * - `unreadable`: it goes on, but in a session that reads SQL text in another way.
 */
export type FoundEnd =
  | 'committed'
  | 'rolled_back'
  | 'rolled_back_and_more'
  | 'taken_back'
  | 'unclear'
  | 'unreadable';

/**
 * Finds out whether a transaction still is the one that was begun. The server's answers tell, without a question (see
 * `SessionTracker`); only what has become of one that has ended is asked for, of the session's status counters.
 */
export class TransactionMonitor {
  readonly #connection: MysqlConnection;
  /** The counters tell of this transaction and of nothing before it. */
  readonly #isFirst: boolean;
  #mark: SessionMark;

  /** @param isFirst nothing of a caller's has run in the session before it. */
  constructor(connection: MysqlConnection, isFirst: boolean) {
    this.#connection = connection;
    this.#isFirst = isFirst;
    this.#mark = connection.state.session.mark;
  }

  /** After a statement that has not failed, or whose failure was followed by `askStatus`. */
  async check(mayEndTransaction: boolean): Promise<FoundEnd | undefined> {
    const { session } = this.#connection.state;
    const before = this.#mark;
    const now = session.mark;
    this.#mark = now;
    const hasBegunAnother = now.begun !== before.begun;
    const isDoubtful = now.contradictions !== before.contradictions;
    const hasSetAutocommit = now.autocommitSettings !== before.autocommitSettings;
    const isSure = session.isOpen && !hasBegunAnother;
    if (!mayEndTransaction) return isSure ? undefined : 'taken_back';
    if (!isSure) return await this.#whatBecame(before, now);
    if (!session.tracksTransactions) return 'unclear';
    // MySQL's tracker forgets a transaction when a temporary table is made or dropped, and so also one begun before.
    if (isDoubtful && (hasSetAutocommit || !(await this.#isUntouched()))) {
      return await this.#whatBecame(before, now);
    }
    const isOurs = session.isInTransaction && !session.isAnother && now.sqlMode === before.sqlMode;
    return isOurs ? undefined : 'unreadable';
  }

  async #whatBecame(before: SessionMark, now: SessionMark): Promise<FoundEnd> {
    const counters = await this.#counters();
    if (counters === undefined) return 'unclear';
    const { begun, committed, rolledBack, others } = endingsIn(counters);
    const hasBegunAnother = now.begun !== before.begun;
    // Statements or the server have undone something; of what, the counter does not tell.
    const hasUndone = counters.has('Handler_rollback');
    const hasSetAutocommit = now.autocommitSettings !== before.autocommitSettings;
    if (rolledBack) {
      if (begun || committed || others || hasBegunAnother || hasSetAutocommit) return 'unclear';
      return statementsWithin(counters) === 1 ? 'rolled_back' : 'rolled_back_and_more';
    }
    // What begins another commits the one before, unless the server had taken that back.
    if (begun || committed || (others && !hasBegunAnother)) return hasUndone ? 'unclear' : 'committed';
    if (hasBegunAnother || hasSetAutocommit) return 'unclear';
    // Who handles a deadlock may have done more before it is signalled again.
    return counters.has('Com_signal') || counters.has('Com_resignal') ? 'unclear' : 'taken_back';
  }

  /** No statement has ended the transaction that is open. */
  async #isUntouched(): Promise<boolean> {
    const counters = await this.#counters();
    if (counters === undefined) return false;
    const { begun, committed, rolledBack } = endingsIn(counters);
    return !begun && !committed && !rolledBack && ![...counters.keys()].some((name) => /^Com_xa_/.test(name));
  }

  async #counters(): Promise<ReadonlyMap<string, number> | undefined> {
    if (!this.#isFirst || this.#connection.state.session.isAnother) return undefined;
    return await readStatusCounters(this.#connection);
  }
}

interface Endings {
  /** Another transaction than ours. */
  readonly begun: boolean;
  readonly committed: boolean;
  readonly rolledBack: boolean;
  /** Of other kinds that may have ended it. */
  readonly others: boolean;
}

function endingsIn(counters: ReadonlyMap<string, number>): Endings {
  const count = (kind: string) => counters.get(`Com_${kind}`) ?? 0;
  return {
    begun: count('begin') > 1,
    committed: count('commit') > 0,
    rolledBack: count('rollback') > 0,
    others: [...counters.keys()].some((name) => name.startsWith('Com_') && !HARMLESS.has(name)),
  };
}

/** How many statements procedures have run, at the least: the server counts them by their kind, but as no questions. */
function statementsWithin(counters: ReadonlyMap<string, number>): number {
  const byKind = [...counters].filter(([name]) => name.startsWith('Com_'));
  return byKind.reduce((sum, [, count]) => sum + count, 0) - (counters.get('Questions') ?? 0);
}
