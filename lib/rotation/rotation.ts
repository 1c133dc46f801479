import type { RotationStore, VersionLabel } from '../aws/secrets-rotation.ts';
import { BrokerError } from '../errors.ts';
import type { DatabaseSettings } from '../settings/settings.ts';
import { parseRotatingSecret, type RotatingSecret } from './rotating-secret.ts';

/** The database in the settings. It overrides the secret; `tls` overrides the secret's `ssl`. */
export type KnownDatabase = Partial<Pick<DatabaseSettings, 'host' | 'port' | 'database' | 'tls'>>;

/** One rotation of one secret, in any of its steps. */
export interface Rotation {
  readonly secretId: string;
  /** The new version. */
  readonly versionId: string;
  readonly rotationToken: string | undefined;
  /** The version that is AWSCURRENT. */
  readonly currentVersionId: string | undefined;
  readonly database: KnownDatabase;
  readonly store: RotationStore;
}

/** A step is refused. */
export function refused(reason: string): BrokerError {
  return new BrokerError('INVALID_REQUEST', `The secret is not rotated: ${reason}`, { reason });
}

export async function readVersion(
  { store, secretId }: Rotation,
  label: VersionLabel,
  versionId?: string,
): Promise<RotatingSecret | undefined> {
  const text = await store.read(secretId, label, versionId);
  return text === undefined ? undefined : parseRotatingSecret(text);
}

export async function readCurrent(rotation: Rotation): Promise<RotatingSecret> {
  const current = await readVersion(rotation, 'AWSCURRENT');
  if (current === undefined) throw refused('it has no AWSCURRENT version');
  return current;
}

/** The current and the pending version, checked to be for the same server and the right users. */
export async function readBoth(
  rotation: Rotation,
): Promise<{ current: RotatingSecret; pending: RotatingSecret }> {
  const current = await readCurrent(rotation);
  const pending = await readVersion(rotation, 'AWSPENDING', rotation.versionId);
  if (pending === undefined) throw refused('its AWSPENDING version has no value: createSecret comes first');
  if (pending.username !== nextUsername(current) || !isOnSameServer(pending, current)) {
    // A writer of secret versions must not be able to direct the rotation at another user or server.
    throw refused('its AWSPENDING version is for another user or server than AWSCURRENT; remove that label');
  }
  return { current, pending };
}

const CLONE_SUFFIX = '_clone';
/** MariaDB allows longer ones, but a secret does not reliably name the server's kind. */
const MAX_USERNAME_LENGTH = 32;

/** The user of the next version: the same one, or with a master secret the other of the two. */
export function nextUsername({ username, masterSecretId }: RotatingSecret): string {
  if (masterSecretId === undefined) return username;
  if (username.endsWith(CLONE_SUFFIX)) return username.slice(0, -CLONE_SUFFIX.length);
  const clone = `${username}${CLONE_SUFFIX}`;
  if (clone.length <= MAX_USERNAME_LENGTH) return clone;
  throw refused(`its user name with ${CLONE_SUFFIX} would be longer than ${MAX_USERNAME_LENGTH} characters`);
}

export function isOnSameServer(one: RotatingSecret, other: RotatingSecret): boolean {
  return isSameHost(one.host, other.host) && one.port === other.port && one.allowsPlain === other.allowsPlain;
}

export function isSameHost(one: string | undefined, other: string | undefined): boolean {
  return one?.toLowerCase() === other?.toLowerCase();
}
