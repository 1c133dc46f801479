import { DatabaseAdmin, type ServerAccess } from '../../../infra/local/database/database-admin.ts';
import { pollUntil } from '../../../infra/local/process/poll-until.ts';

const SYSTEM_SCHEMAS = ['mysql', 'sys', 'information_schema', 'performance_schema'];
/** Accounts of the server's own. */
const SYSTEM_USERS = ['root', 'mysql', 'mysql.sys', 'mysql.session', 'mysql.infoschema', 'mariadb.sys'];
/** ER_INCORRECT_GLOBAL_LOCAL_VAR and others: what cannot be set was not set by a test either. */
const READ_ONLY_VARIABLE = /^(gtid_|timestamp$|last_|rand_seed|error_count|warning_count|pseudo_)/;

/** Global variables of a server, by name. */
export async function readGlobalVariables(server: ServerAccess): Promise<Record<string, string>> {
  const admin = new DatabaseAdmin(server);
  try {
    const rows = await admin.query('SHOW GLOBAL VARIABLES');
    return Object.fromEntries(rows.map(({ Variable_name, Value }) => [Variable_name, Value]));
  } finally {
    await admin.close();
  }
}

/**
 * Brings a server that another test file has used back to how it was: no connections, schemas or accounts of others,
 * and the global variables of the beginning.
 */
export async function cleanServer(
  admin: DatabaseAdmin,
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  await restoreGlobalVariables(admin, variables);
  await endConnections(admin);
  const schemas = await admin.query(
    'SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name NOT IN (?, ?, ?, ?)',
    SYSTEM_SCHEMAS,
  );
  for (const { name } of schemas) await admin.query('DROP DATABASE ??', [name]);
  await dropAccounts(admin);
  await admin.query('FLUSH STATUS');
}

async function restoreGlobalVariables(
  admin: DatabaseAdmin,
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  const rows = await admin.query('SHOW GLOBAL VARIABLES');
  for (const { Variable_name: name, Value: value } of rows) {
    const before = variables[name];
    if (before === undefined || before === value || READ_ONLY_VARIABLE.test(name)) continue;
    const isNumber = /^-?\d+(\.\d+)?$/.test(before);
    await admin.query(`SET GLOBAL ${name} = ${isNumber ? before : '?'}`, isNumber ? [] : [before]);
  }
}

async function endConnections(admin: DatabaseAdmin): Promise<void> {
  const others =
    "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND user NOT IN ('system user', 'event_scheduler')";
  await pollUntil(
    async () => {
      const rows = await admin.query(others);
      for (const row of rows) {
        // It may have ended by itself meanwhile.
        await admin.query(`KILL ${Number(Object.values(row)[0])}`).catch(() => {});
      }
      return rows.length === 0;
    },
    { intervalMs: 10, timeoutMs: 10_000, hopeless: new Promise(() => {}) },
  );
}

async function dropAccounts(admin: DatabaseAdmin): Promise<void> {
  const accounts = await admin.query(
    'SELECT user AS name, host AS host FROM mysql.user WHERE user NOT IN (?, ?, ?, ?, ?, ?)',
    SYSTEM_USERS,
  );
  for (const { name, host } of accounts) {
    // MariaDB lists roles among the accounts, with an empty host.
    if (host === '') await admin.query('DROP ROLE ??', [name]);
    else await admin.query('DROP USER ?@?', [name, host]);
  }
}
