import { BrokerError } from '../errors.ts';
import type { AccountName } from '../mysql/accounts/account-name.ts';
import { copyAccount, ownAccount, setPassword } from '../mysql/accounts/accounts.ts';
import { canLogIn, logIn, tryLogIn } from './logins.ts';
import { parseRotatingSecret, type RotatingSecret } from './rotating-secret.ts';
import { isSameHost, type KnownDatabase, type Rotation, refused } from './rotation.ts';

interface CloneWork {
  readonly current: RotatingSecret;
  readonly pending: RotatingSecret;
  readonly masterSecretId: string;
}

/**
 * Gives the other user the password, limits and grants of the current one, with the master's login. It is idempotent. A
 * repeat skips only a password that works already, since that does not show that the grants were copied.
 */
export async function setCloneSecret(
  { store, database }: Rotation,
  { current, pending, masterSecretId }: CloneWork,
): Promise<void> {
  // First, so that nobody can use the master for a user whose password they do not know.
  const from = await accountOf(current, database);
  const to = { user: pending.username, host: from.host };
  const text = await store.read(masterSecretId, 'AWSCURRENT');
  if (text === undefined) throw refused('there is no secret that masterarn names');
  const master = parseRotatingSecret(text);
  checkMaster(master, [from.user, to.user], database.host ?? current.host);
  await using session = await logIn(master, masterDatabase(master, database));
  await copyAccount(session, { from, to, password: pending.password });
  if (!(await canLogIn(pending, database))) await setPassword(session, to, pending.password);
}

async function accountOf(current: RotatingSecret, database: KnownDatabase): Promise<AccountName> {
  await using session = await tryLogIn(current, database);
  if (session === undefined) {
    const reason = 'AWSCURRENT cannot log in';
    throw new BrokerError('CREDENTIALS_REFUSED', `The secret is not rotated: ${reason}`, { reason });
  }
  const account = await ownAccount(session);
  if (account.user !== current.username) throw refused('AWSCURRENT logs in as another user than it names');
  return account;
}

/** The master's password must be sent only to the master's server, and must not change. */
function checkMaster(master: RotatingSecret, users: readonly string[], host: string | undefined): void {
  if (users.includes(master.username)) throw refused('it is of the master itself, which cannot take turns');
  if (master.host !== undefined && !isSameHost(master.host, host)) {
    throw refused('the secret that masterarn names is for another host');
  }
}

/** If the master's secret names no host, only the settings may name it, not the rotated secret. */
function masterDatabase(master: RotatingSecret, { host, port, tls }: KnownDatabase): KnownDatabase {
  if (host === undefined && master.host === undefined)
    throw refused('the secret that masterarn names has no host');
  return { ...(tls && { tls }), ...(host && { host }), ...(port && { port }) };
}
