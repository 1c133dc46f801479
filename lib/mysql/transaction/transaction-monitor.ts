import type { MysqlConnection } from '../connection/mysql-connection.ts';
import type { SessionMark } from '../driver/session-tracker.ts';
import { readStatusCounters } from './status-counters.ts';

/** Kinds of statements that do not end a transaction. SET of autocommit may, but is reported by itself. */
const NOT_ENDING = new Set(
  `begin commit rollback set_option change_db show_status show_warnings select insert insert_select update update_multi delete delete_multi replace replace_select
   do call_procedure prepare_sql execute_sql execute_immediate dealloc_sql stmt_prepare stmt_execute stmt_close signal
   resignal get_diagnostics savepoint release_savepoint rollback_to_savepoint create_temporary_table drop_temporary_table
   show_variables`
    .split(/\s+/)
    .map((kind) => `Com_${kind}`),
);

/**
 * How a transaction has ended:
 * - `committed`: by a statement that commits, in a procedure or by itself;
 * - `rolled_back`: by a procedure that ran only a ROLLBACK;
 * - `rolled_back_and_more`: by a procedure that ran more after the ROLLBACK;
 * - `server_rolled_back`: by the server, as in a deadlock;
 * - `unclear`: its outcome is not certain;
 * - `unreadable`: it is still open, but the session now reads SQL text in another way.
 */
export type FoundEnd =
  | 'committed'
  | 'rolled_back'
  | 'rolled_back_and_more'
  | 'server_rolled_back'
  | 'unclear'
  | 'unreadable';

/**
 * Checks whether a transaction is still the one that was begun. The server's responses say so by themselves (see
 * `SessionTracker`); only the outcome of one that has ended is queried, from the session's status counters.
 */
export class TransactionMonitor {
  readonly #connection: MysqlConnection;
  /** The counters include nothing before this transaction. */
  readonly #isFirst: boolean;
  #mark: SessionMark;

  /** @param isFirst No caller's statement has run in the session before. */
  constructor(connection: MysqlConnection, isFirst: boolean) {
    this.#connection = connection;
    this.#isFirst = isFirst;
    this.#mark = connection.state.session.mark;
  }

  /** The transaction has begun just now. */
  begin(): void {
    this.#mark = this.#connection.state.session.mark;
  }

  /** Call it after a successful statement, or after a failed one and `refreshStatus`. */
  async check(mayEndTransaction: boolean): Promise<FoundEnd | undefined> {
    const { session } = this.#connection.state;
    const before = this.#mark;
    const now = session.mark;
    this.#mark = now;
    const hasBegunAnother = now.begun !== before.begun;
    const isDoubtful = now.contradictions !== before.contradictions;
    const hasSetAutocommit = now.autocommitSettings !== before.autocommitSettings;
    const isSure = session.isOpen && !hasBegunAnother;
    if (!mayEndTransaction) return isSure ? undefined : 'server_rolled_back';
    if (!isSure) return await this.#endBetween(before, now);
    if (!session.tracksTransactions) return 'unclear';
    // MySQL's tracker forgets a transaction when a temporary table is created or dropped.
    if (isDoubtful && (hasSetAutocommit || !(await this.#isUntouched()))) {
      return await this.#endBetween(before, now);
    }
    const isOurs = session.isInTransaction && !session.isUnusable && now.sqlMode === before.sqlMode;
    return isOurs ? undefined : 'unreadable';
  }

  async #endBetween(before: SessionMark, now: SessionMark): Promise<FoundEnd> {
    const counters = await this.#counters();
    if (counters === undefined) return 'unclear';
    const { begun, committed, rolledBack, others } = endingsIn(counters);
    const hasBegunAnother = now.begun !== before.begun;
    // Something was undone, by statements or by the server; the counter does not say what.
    const hasUndone = counters.has('Handler_rollback');
    const hasSetAutocommit = now.autocommitSettings !== before.autocommitSettings;
    if (rolledBack) {
      if (begun || committed || others || hasBegunAnother || hasSetAutocommit) return 'unclear';
      return statementsWithin(counters) === 1 ? 'rolled_back' : 'rolled_back_and_more';
    }
    // A begin commits the transaction before it, unless the server had rolled that back.
    if (begun || committed || (others && !hasBegunAnother)) return hasUndone ? 'unclear' : 'committed';
    if (hasBegunAnother || hasSetAutocommit) return 'unclear';
    // A handler of a deadlock may have done more before it signals the error again.
    return counters.has('Com_signal') || counters.has('Com_resignal') ? 'unclear' : 'server_rolled_back';
  }

  /** No statement has ended the open transaction. */
  async #isUntouched(): Promise<boolean> {
    const counters = await this.#counters();
    if (counters === undefined) return false;
    const { begun, committed, rolledBack } = endingsIn(counters);
    return !begun && !committed && !rolledBack && ![...counters.keys()].some((name) => /^Com_xa_/.test(name));
  }

  async #counters(): Promise<ReadonlyMap<string, number> | undefined> {
    if (!this.#isFirst || this.#connection.state.session.isUnusable) return undefined;
    return await readStatusCounters(this.#connection);
  }
}

interface Endings {
  /** Another transaction was begun. */
  readonly begun: boolean;
  readonly committed: boolean;
  readonly rolledBack: boolean;
  /** Statements of other kinds, which may have ended it. */
  readonly others: boolean;
}

function endingsIn(counters: ReadonlyMap<string, number>): Endings {
  const count = (kind: string) => counters.get(`Com_${kind}`) ?? 0;
  return {
    begun: count('begin') > 1,
    committed: count('commit') > 0,
    rolledBack: count('rollback') > 0,
    others: [...counters.keys()].some((name) => name.startsWith('Com_') && !NOT_ENDING.has(name)),
  };
}

/** The least number of statements that procedures have run: counted by kind, but not in Questions. */
function statementsWithin(counters: ReadonlyMap<string, number>): number {
  const byKind = [...counters].filter(([name]) => name.startsWith('Com_'));
  return byKind.reduce((sum, [, count]) => sum + count, 0) - (counters.get('Questions') ?? 0);
}
