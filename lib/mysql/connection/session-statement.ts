import type { SessionSettings } from '../../settings/settings.ts';
import { TRACKING_ASSIGNMENTS } from '../driver/session-tracker.ts';
import { type Flavour, isServerError, type ServerError } from '../errors.ts';
import type { CommandRunner } from './command-runner.ts';

/** MariaDB's names for variables that MySQL has renamed. */
const MARIADB_NAMES: Readonly<Record<string, string>> = {
  transaction_isolation: 'tx_isolation',
  transaction_read_only: 'tx_read_only',
};

/**
 * Whatever the server's defaults are: a write needs no COMMIT, and `id IS NULL` does not find the row that the previous
 * holder inserted.
 */
const REQUIRED = ['@@SESSION.autocommit = 1', '@@SESSION.sql_auto_is_null = 0'];

/** An assignment, and the setting of the alias that it comes from; none: the broker needs it. */
interface Assignment {
  readonly setting: string | undefined;
  readonly sql: string;
}

/**
 * Servers can record the statements of a session, with literals, even beyond a reset: MariaDB by profiling, MySQL by
 * optimizer traces, which are discarded when their offset is set.
 */
const NO_STATEMENT_HISTORY: Readonly<Record<Flavour, readonly string[]>> = {
  mariadb: ['@@SESSION.profiling_history_size = 0'],
  mysql: ["@@SESSION.optimizer_trace = 'enabled=off'", '@@SESSION.optimizer_trace_offset = -1'],
};

/**
 * The statement that sets the session, sent when a connection is opened and after each reset. The settings ensure that no
 * part of it holds a quote or a backslash, because the server reads it under its own sql_mode.
 */
export function sessionStatement(session: SessionSettings, flavour: Flavour, queryTimeoutMs: number): string {
  return setTo(assignmentsOf(session, flavour, queryTimeoutMs));
}

/**
 * Finds out which setting the server refuses, by sending each assignment by itself. The server's message would say so
 * too, but in its own language.
 */
export async function refusedSetting(
  session: SessionSettings,
  flavour: Flavour,
  queryTimeoutMs: number,
  runCommand: CommandRunner,
): Promise<{ readonly setting: string; readonly error: ServerError } | undefined> {
  for (const assignment of assignmentsOf(session, flavour, queryTimeoutMs)) {
    try {
      await runCommand(setTo([assignment]));
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
    // First, so that the server reports the values of the others.
    ...TRACKING_ASSIGNMENTS.map((sql) => ({ setting: undefined, sql })),
    { setting: collation === undefined ? undefined : 'session.collation', sql: names },
    { setting: 'session.sqlMode', sql: `@@SESSION.sql_mode = ${literal(sqlMode)}` },
    { setting: 'session.timeZone', sql: `@@SESSION.time_zone = ${literal(timeZone)}` },
    { setting: 'limits.queryTimeoutMs', sql: `@@SESSION.${statementLimit(flavour, queryTimeoutMs)}` },
    ...REQUIRED.map((sql) => ({ setting: undefined, sql })),
    ...NO_STATEMENT_HISTORY[flavour].map((sql) => ({ setting: undefined, sql })),
    ...Object.entries(variables).map(([name, value]) => ({
      setting: `session.variables.${name}`,
      sql: `@@SESSION.${nameOn(flavour, name)} = ${literal(value)}`,
    })),
  ];
}

/** The server's own time limit, for statements that cannot be killed. MySQL's is for SELECT only. */
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
