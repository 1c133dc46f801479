import { AdminSession } from '../mysql/accounts/admin-session.ts';
import { isRefusedLogin } from '../mysql/connect-errors.ts';
import { MYSQL_PORT } from '../settings/servers.ts';
import type { RotatingSecret } from './rotating-secret.ts';
import { type KnownDatabase, refused } from './rotation.ts';

/** Over TLS, unless the settings say otherwise or, without settings, the secret has `ssl: false`. */
export async function logIn(
  secret: RotatingSecret,
  known: KnownDatabase,
  database?: string,
): Promise<AdminSession> {
  const host = known.host ?? secret.host;
  if (host === undefined) throw refused('it names no host');
  const { username, password } = secret;
  const login = {
    versionId: 'rotation',
    host,
    port: known.port ?? secret.port ?? MYSQL_PORT,
    database,
    username,
    password,
  };
  return await AdminSession.open(login, known.tls ?? (secret.allowsPlain ? 'off' : 'verify'));
}

/** Undefined: the server refuses the login. */
export async function tryLogIn(
  secret: RotatingSecret,
  known: KnownDatabase,
): Promise<AdminSession | undefined> {
  try {
    return await logIn(secret, known);
  } catch (error) {
    if (isRefusedLogin(error)) return undefined;
    throw error;
  }
}

export async function canLogIn(secret: RotatingSecret, known: KnownDatabase): Promise<boolean> {
  await using session = await tryLogIn(secret, known);
  return session !== undefined;
}
