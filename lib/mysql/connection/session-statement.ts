import type { SessionSettings } from '../../settings/settings.ts';
import { TRACKING_ASSIGNMENTS } from '../driver/session-tracker.ts';
import { type Flavour, isServerError, type ServerError } from '../errors.ts';
import type { Ask } from './own-statement.ts';

/** What MySQL calls them; MariaDB knows these only by their older names. */
const MARIADB_NAMES: Readonly<Record<string, string>> = {
  transaction_isolation: 'tx_isolation',
  transaction_read_only: 'tx_read_only',
};

/**
 * Whatever the server's defaults are: a write lasts without a COMMIT, and `id IS NULL` does not find what the last
 * borrower inserted.
 */
const RELIED_ON = ['@@SESSION.autocommit = 1', '@@SESSION.sql_auto_is_null = 0'];

/** A part of what a session is given, and the setting of the alias that it comes from; none: the broker needs it. */
interface Assignment {
  readonly setting: string | undefined;
  readonly sql: string;
}

/**
 * Servers can be told to keep what a session runs, literals and all, and do so beyond a reset: MariaDB by its profiles,
 * MySQL by the traces of its optimizer, which are thrown away when their offset is set.
 */
const FORGETTING: Readonly<Record<Flavour, readonly string[]>> = {
  mariadb: ['@@SESSION.profiling_history_size = 0'],
  mysql: ["@@SESSION.optimizer_trace = 'enabled=off'", '@@SESSION.optimizer_trace_offset = -1'],
};

/**
 * The statement that gives a connection its session: sent when it is opened and after each reset, which forgets
 * it. Every part of it was checked by the settings to hold no quote and no backslash, because it is read under the
 * server's own sql_mode.
 */
export function sessionStatement(session: SessionSettings, flavour: Flavour, queryTimeoutMs: number): string {
  return setTo(assignmentsOf(session, flavour, queryTimeoutMs));
}

/**
 * Which setting a server refuses that refused the statement as a whole, and why: each part is asked for by itself. The
 * server's text would tell too, but in the language that it is set to.
 */
export async function refusedSetting(
  session: SessionSettings,
  flavour: Flavour,
  queryTimeoutMs: number,
  ask: Ask,
): Promise<{ readonly setting: string; readonly error: ServerError } | undefined> {
  for (const assignment of assignmentsOf(session, flavour, queryTimeoutMs)) {
    try {
      await ask(setTo([assignment]));
    } catch (error) {
      if (!isServerError(error) || assignment.setting === undefined) return undefined;
      return { setting: assignment.setting, error };
    }
  }
  return undefined;
}

function setTo(assignments: readonly Assignment[]): string {
  return `SET ${assignments.map(({ sql }) => sql).join(', ')}`;
}

function assignmentsOf(
  { sqlMode, timeZone, collation, variables }: SessionSettings,
  flavour: Flavour,
  queryTimeoutMs: number,
): readonly Assignment[] {
  const names = collation === undefined ? 'NAMES utf8mb4' : `NAMES utf8mb4 COLLATE ${collation}`;
  return [
    // First: what the server reports of the others then is what they have to stay.
    ...TRACKING_ASSIGNMENTS.map((sql) => ({ setting: undefined, sql })),
    { setting: collation === undefined ? undefined : 'session.collation', sql: names },
    { setting: 'session.sqlMode', sql: `@@SESSION.sql_mode = ${literal(sqlMode)}` },
    { setting: 'session.timeZone', sql: `@@SESSION.time_zone = ${literal(timeZone)}` },
    { setting: 'limits.queryTimeoutMs', sql: `@@SESSION.${statementLimit(flavour, queryTimeoutMs)}` },
    ...RELIED_ON.map((sql) => ({ setting: undefined, sql })),
    ...FORGETTING[flavour].map((sql) => ({ setting: undefined, sql })),
    ...Object.entries(variables).map(([name, value]) => ({
      setting: `session.variables.${name}`,
      sql: `@@SESSION.${nameOn(flavour, name)} = ${literal(value)}`,
    })),
  ];
}

/** The server's own limit, for when it cannot be told to stop. MySQL's is for SELECT only. */
function statementLimit(flavour: Flavour, queryTimeoutMs: number): string {
  if (flavour === 'mysql') return `max_execution_time = ${queryTimeoutMs}`;
  return `max_statement_time = ${queryTimeoutMs / 1_000}`;
}

function nameOn(flavour: Flavour, name: string): string {
  return flavour === 'mariadb' ? (MARIADB_NAMES[name] ?? name) : name;
}

function literal(value: string | number | boolean): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
