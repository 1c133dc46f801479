import type { MysqlConnection } from '../connection/mysql-connection.ts';

/** The largest value of a BIGINT UNSIGNED: no limit. */
const NONE = '18446744073709551615';

/** `Com_...` of each kind of statement, pings left out; Questions as {@link SessionHistory.questionCount} has it. */
const COUNTERS_QUERY =
  "SHOW SESSION STATUS WHERE Variable_name REGEXP '^(Com_.*|Questions|Handler_rollback)$' AND Value > 0 AND Variable_name <> 'Com_admin_commands'";

/** What a caller may have set, and what would keep rows of the answer back or refuse the question. */
const LIMITS = ['sql_select_limit', 'max_join_size', 'sql_big_selects', 'max_execution_time'];
const UNLIMITED = [NONE, NONE, '1', '0'];
const MARIADB_UNLIMITED = `SET STATEMENT sql_select_limit = ${NONE}, max_join_size = ${NONE}, sql_big_selects = 1, max_statement_time = 0`;

/**
 * The session's status counters since the login or the last wipe.
 *
 * @returns undefined: they were set to zero meanwhile (FLUSH STATUS), or somebody else speaks over the connection too.
 */
export async function readStatusCounters(
  connection: MysqlConnection,
): Promise<ReadonlyMap<string, number> | undefined> {
  const ask = async () => {
    const rows = await connection.command(
      connection.state.flavour === 'mariadb' ? `${MARIADB_UNLIMITED} FOR ${COUNTERS_QUERY}` : COUNTERS_QUERY,
    );
    const counters = new Map(rows.map(([name, count]) => [String(name), Number(count)]));
    return counters.get('Questions') === connection.state.history.questionCount ? counters : undefined;
  };
  return connection.state.flavour === 'mariadb' ? await ask() : await unlimited(connection, ask);
}

/** MySQL has no SET STATEMENT. */
async function unlimited<T>(connection: MysqlConnection, ask: () => Promise<T>): Promise<T> {
  const names = LIMITS.map((name) => `@@SESSION.${name}`);
  const setTo = async (values: readonly unknown[]) =>
    await connection.command(`SET ${names.map((name, index) => `${name} = ${values[index]}`).join(', ')}`);
  // A LIMIT of its own is stronger than sql_select_limit.
  const [limits = []] = await connection.command(`SELECT ${names.join(', ')} LIMIT 1`);
  await setTo(UNLIMITED);
  try {
    return await ask();
  } finally {
    await setTo(limits);
  }
}
