import { assert, BrokerError } from '../../errors.ts';
import { type AccountName, accountText, quoted } from './account-name.ts';
import type { AdminSession } from './admin-session.ts';
import { grantFor } from './grants.ts';

/** ER_MISSING_CURRENT_PASSWORD: MySQL's password_require_current. */
const NEEDS_CURRENT_PASSWORD = 3892;
/** ER_NO_SUCH_TABLE. */
const NO_SUCH_TABLE = 1146;
/** The grant is for a table, column or routine that was dropped. */
const GRANT_TARGET_MISSING = [NO_SUCH_TABLE, 1054, 1305];

/** The account that the server has authenticated. Its host need not be `%`. */
export async function ownAccount(session: AdminSession): Promise<AccountName> {
  const [[name] = []] = await session.rows('SELECT CURRENT_USER()');
  const text = String(name);
  // Only the user can contain an @, not the host.
  const at = text.lastIndexOf('@');
  return { user: text.slice(0, at), host: text.slice(at + 1) };
}

/** Sets the session's own password, which needs no privilege. */
export async function setOwnPassword(session: AdminSession, current: string, next: string): Promise<void> {
  const statement = `SET PASSWORD = ${passwordText(session, next)}`;
  try {
    await session.run(statement);
  } catch (error) {
    if (!isRefusedBy(error, [NEEDS_CURRENT_PASSWORD])) throw error;
    await session.run(`${statement} REPLACE ${quoted(current)}`);
  }
}

export async function setPassword(
  session: AdminSession,
  account: AccountName,
  password: string,
): Promise<void> {
  await session.run(`SET PASSWORD FOR ${accountText(account)} = ${passwordText(session, password)}`);
}

/**
 * Gives an account the requirements, resource limits, grants and default roles of another. If it does not exist, it is
 * created with this password.
 */
export async function copyAccount(
  session: AdminSession,
  { from, to, password }: { readonly from: AccountName; readonly to: AccountName; readonly password: string },
): Promise<void> {
  const { plugin, clauses } = await profileOf(session, from);
  const isMysql = session.flavour === 'mysql' && plugin !== '';
  const method = isMysql ? `IDENTIFIED WITH ${quoted(plugin)} BY` : 'IDENTIFIED BY';
  await session.run(`CREATE USER IF NOT EXISTS ${accountText(to)} ${method} ${quoted(password)}`);
  await session.run(`ALTER USER ${accountText(to)} ${clauses}`);
  for (const [row] of await session.rows(`SHOW GRANTS FOR ${accountText(from)}`)) {
    const grant = grantFor(String(row), from, to);
    if (grant !== undefined) await session.run(grant).catch(ignoring(GRANT_TARGET_MISSING));
  }
  // MariaDB lists them among the grants.
  if (session.flavour === 'mysql') await copyDefaultRoles(session, from, to);
}

async function copyDefaultRoles(session: AdminSession, from: AccountName, to: AccountName): Promise<void> {
  const roles = await session
    .rows(
      `SELECT default_role_user, default_role_host FROM mysql.default_roles WHERE ${isAccount(from)}
       ORDER BY default_role_user, default_role_host`,
    )
    // MySQL 5.7 has no roles.
    .catch(ignoring([NO_SUCH_TABLE]));
  if (roles === undefined || roles.length === 0) return;
  const names = roles.map(([user, host]) => accountText({ user: String(user), host: String(host) }));
  await session.run(`ALTER USER ${accountText(to)} DEFAULT ROLE ${names.join(', ')}`);
}

interface Profile {
  readonly plugin: string;
  /** REQUIRE and WITH, as statements write them. */
  readonly clauses: string;
}

async function profileOf(session: AdminSession, account: AccountName): Promise<Profile> {
  const texts = ['plugin', 'ssl_type', 'ssl_cipher', 'x509_issuer', 'x509_subject'].map(
    (column) => `CONVERT(${column} USING utf8mb4)`,
  );
  const counts = ['max_questions', 'max_updates', 'max_connections', 'max_user_connections'];
  // In seconds with a fraction, and on MariaDB only.
  if (session.flavour === 'mariadb') counts.push('max_statement_time');
  const [row] = await session.rows(
    `SELECT ${[...texts, ...counts].join(', ')} FROM mysql.user WHERE ${isAccount(account)}`,
  );
  assert(row !== undefined, 'an account that is logged in and is not there');
  const [plugin = '', type = '', cipher = '', issuer = '', subject = '', ...limits] = row.map((cell) =>
    String(cell ?? ''),
  );
  const [questions = 0, updates = 0, connections = 0, userConnections = 0, statementTime] =
    limits.map(Number);
  return {
    plugin,
    clauses: `REQUIRE ${requirementOf(type, { cipher, issuer, subject })}
      WITH MAX_QUERIES_PER_HOUR ${questions} MAX_UPDATES_PER_HOUR ${updates}
      MAX_CONNECTIONS_PER_HOUR ${connections} MAX_USER_CONNECTIONS ${userConnections}
      ${statementTime === undefined ? '' : `MAX_STATEMENT_TIME ${statementTime}`}`,
  };
}

/** @param certificate Required properties of the client's certificate; an empty text allows any. */
function requirementOf(sslType: string, certificate: Readonly<Record<string, string>>): string {
  if (sslType === 'ANY') return 'SSL';
  if (sslType === 'X509') return 'X509';
  const demands = Object.entries(certificate).filter(([, text]) => text !== '');
  if (sslType !== 'SPECIFIED' || demands.length === 0) return 'NONE';
  return demands.map(([name, text]) => `${name.toUpperCase()} ${quoted(text)}`).join(' AND ');
}

function isAccount({ user, host }: AccountName): string {
  return `user = ${quoted(user)} AND host = ${quoted(host)}`;
}

function passwordText({ flavour }: AdminSession, password: string): string {
  return flavour === 'mariadb' ? `PASSWORD(${quoted(password)})` : quoted(password);
}

function ignoring(errnos: readonly number[]): (error: unknown) => undefined {
  return (error) => {
    if (!isRefusedBy(error, errnos)) throw error;
    return undefined;
  };
}

function isRefusedBy(error: unknown, errnos: readonly number[]): boolean {
  return error instanceof BrokerError && error.mysql !== undefined && errnos.includes(error.mysql.errno);
}
