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
 * Makes the other user as good as the current one, by the hand of the master. Done again it does no harm, and all of
 * it is done again, but for a password that works: a password that works does not tell that the grants were copied.
 */
export async function setCloneSecret(
  { store, database }: Rotation,
  { current, pending, masterSecretId }: CloneWork,
): Promise<void> {
  // First, so that nobody can have the master work for a user whose password he does not know.
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

/** The master's password must go to no server but the master's own, and must stay as it is. */
function checkMaster(master: RotatingSecret, users: readonly string[], host: string | undefined): void {
  if (users.includes(master.username)) throw refused('it is of the master itself, which cannot take turns');
  if (master.host !== undefined && !isSameHost(master.host, host)) {
    throw refused('the secret that masterarn names is for another host');
  }
}

/** Where the master's own secret names no host, only settings can: the secret that is rotated must not. */
function masterDatabase(master: RotatingSecret, { host, port, tls }: KnownDatabase): KnownDatabase {
  if (host === undefined && master.host === undefined)
    throw refused('the secret that masterarn names has no host');
  return { ...(tls && { tls }), ...(host && { host }), ...(port && { port }) };
}
