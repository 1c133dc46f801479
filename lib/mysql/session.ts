import type { SessionSettings } from '../settings/settings.ts';
import type { Flavour } from './failure.ts';

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

/**
 * The statement that gives a connection its session: sent when it is opened and after each reset, which forgets
 * it. Every part of it was checked by the settings to hold no quote and no backslash, because it is read under the
 * server's own sql_mode.
 */
export function sessionStatement(session: SessionSettings, flavour: Flavour, queryTimeoutMs: number): string {
  const { sqlMode, timeZone, collation, variables } = session;
  const names = collation === undefined ? 'NAMES utf8mb4' : `NAMES utf8mb4 COLLATE ${collation}`;
  const assignments = Object.entries(variables).map(
    ([name, value]) => `@@SESSION.${nameOn(flavour, name)} = ${literal(value)}`,
  );
  return [
    `SET ${names}`,
    `@@SESSION.sql_mode = ${literal(sqlMode)}`,
    `@@SESSION.time_zone = ${literal(timeZone)}`,
    `@@SESSION.${statementLimit(flavour, queryTimeoutMs)}`,
    ...RELIED_ON,
    // MariaDB keeps the profiled statements, literals and all, beyond a reset.
    ...(flavour === 'mariadb' ? ['@@SESSION.profiling_history_size = 0'] : []),
    ...assignments,
  ].join(', ');
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
