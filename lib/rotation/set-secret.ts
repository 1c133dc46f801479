import { BrokerError } from '../errors.ts';
import { setOwnPassword } from '../mysql/accounts/accounts.ts';
import { canLogIn, tryLogIn } from './logins.ts';
import type { RotatingSecret } from './rotating-secret.ts';
import { isOnSameServer, type Rotation, readBoth, readVersion } from './rotation.ts';
import { setCloneSecret } from './set-clone-secret.ts';

/** Makes the database accept the pending version. */
export async function setSecret(rotation: Rotation): Promise<void> {
  const { current, pending } = await readBoth(rotation);
  if (current.masterSecretId !== undefined) {
    await setCloneSecret(rotation, { current, pending, masterSecretId: current.masterSecretId });
    return;
  }
  if (await canLogIn(pending, rotation.database)) return;
  // After an abandoned rotation the database may still have the previous version.
  for (const secret of [current, await previousLike(current, rotation)]) {
    await using session = secret && (await tryLogIn(secret, rotation.database));
    if (secret === undefined || session === undefined) continue;
    await setOwnPassword(session, secret.password, pending.password);
    return;
  }
  const reason = 'neither AWSPENDING nor AWSCURRENT nor AWSPREVIOUS can log in';
  throw new BrokerError('CREDENTIALS_REFUSED', `The secret is not rotated: ${reason}`, { reason });
}

async function previousLike(
  current: RotatingSecret,
  rotation: Rotation,
): Promise<RotatingSecret | undefined> {
  const previous = await readVersion(rotation, 'AWSPREVIOUS');
  if (previous === undefined || previous.username !== current.username) return undefined;
  return isOnSameServer(previous, current) ? previous : undefined;
}
