import type { MysqlConnection } from '../connection/mysql-connection.ts';

/** The largest value of a BIGINT UNSIGNED: no limit. */
const NONE = '18446744073709551615';

/** `Com_...` of each kind of statement, without pings; Questions like {@link SessionHistory.questionCount}. */
const COUNTERS_QUERY =
  "SHOW SESSION STATUS WHERE Variable_name REGEXP '^(Com_.*|Questions|Handler_rollback)$' AND Value > 0 AND Variable_name <> 'Com_admin_commands'";

/** Variables that a caller may have set and that could truncate or refuse the query of the counters. */
const LIMITS = ['sql_select_limit', 'max_join_size', 'sql_big_selects', 'max_execution_time'];
const UNLIMITED = [NONE, NONE, '1', '0'];
const MARIADB_UNLIMITED = `SET STATEMENT sql_select_limit = ${NONE}, max_join_size = ${NONE}, sql_big_selects = 1, max_statement_time = 0`;

/**
 * The session's status counters since the login or the last reset.
 *
 * @returns undefined: they were reset meanwhile (FLUSH STATUS), or a proxy runs other statements on the connection.
 */
export async function readStatusCounters(
  connection: MysqlConnection,
): Promise<ReadonlyMap<string, number> | undefined> {
  const read = async () => {
    const rows = await connection.command(
      connection.state.flavour === 'mariadb' ? `${MARIADB_UNLIMITED} FOR ${COUNTERS_QUERY}` : COUNTERS_QUERY,
    );
    const counters = new Map(rows.map(([name, count]) => [String(name), Number(count)]));
    return counters.get('Questions') === connection.state.history.questionCount ? counters : undefined;
  };
  return connection.state.flavour === 'mariadb' ? await read() : await unlimited(connection, read);
}

/** MySQL has no SET STATEMENT. */
async function unlimited<T>(connection: MysqlConnection, read: () => Promise<T>): Promise<T> {
  const names = LIMITS.map((name) => `@@SESSION.${name}`);
  const setTo = async (values: readonly unknown[]) =>
    await connection.command(`SET ${names.map((name, index) => `${name} = ${values[index]}`).join(', ')}`);
  // The LIMIT overrides sql_select_limit.
  const [limits = []] = await connection.command(`SELECT ${names.join(', ')} LIMIT 1`);
  await setTo(UNLIMITED);
  try {
    return await read();
  } finally {
    await setTo(limits);
  }
}
