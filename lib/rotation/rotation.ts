import type { RotationStore, VersionLabel } from '../aws/secrets-rotation.ts';
import { BrokerError } from '../errors.ts';
import type { DatabaseSettings } from '../settings/settings.ts';
import { parseRotatingSecret, type RotatingSecret } from './rotating-secret.ts';

/** What settings say of the database, which wins over what its secret says; `tls` wins over the secret's `ssl`. */
export type KnownDatabase = Partial<Pick<DatabaseSettings, 'host' | 'port' | 'database' | 'tls'>>;

/** One rotation of one secret, in any of its steps. */
export interface Rotation {
  readonly secretId: string;
  /** The version that is being made. */
  readonly versionId: string;
  readonly rotationToken: string | undefined;
  /** The version that is AWSCURRENT. */
  readonly currentVersionId: string | undefined;
  readonly database: KnownDatabase;
  readonly store: RotationStore;
}

/** Why a step will not do what it was asked for. */
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

/** The version in force and the one that is being made, found to be two of the same kind. */
export async function readBoth(
  rotation: Rotation,
): Promise<{ current: RotatingSecret; pending: RotatingSecret }> {
  const current = await readCurrent(rotation);
  const pending = await readVersion(rotation, 'AWSPENDING', rotation.versionId);
  if (pending === undefined) throw refused('its AWSPENDING version has no value: createSecret comes first');
  if (pending.username !== nextUsername(current) || !isOnSameServer(pending, current)) {
    // Whoever can write a version must not aim the rotation at another user or server.
    throw refused('its AWSPENDING version is for another user or server than AWSCURRENT; remove that label');
  }
  return { current, pending };
}

const CLONE_SUFFIX = '_clone';
/** MariaDB takes longer ones; nothing in a secret surely tells it. */
const MAX_USERNAME_LENGTH = 32;

/** Who logs in with the next version: the same user, or where a master manages two, the other of them. */
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
