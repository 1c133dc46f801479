import { RotationStore } from '../aws/secrets-rotation.ts';
import type { RotationEvent, RotationStep } from '../protocol/rotation.ts';
import { logIn } from './logins.ts';
import {
  type KnownDatabase,
  nextUsername,
  type Rotation,
  readBoth,
  readCurrent,
  readVersion,
  refused,
} from './rotation.ts';
import { setSecret } from './set-secret.ts';

const STEPS: Readonly<Record<RotationStep, (rotation: Rotation) => Promise<void>>> = {
  createSecret,
  setSecret,
  testSecret,
  finishSecret,
};

/**
 * The steps by which Secrets Manager rotates the password of a database user. Each is idempotent: after a failure Secrets
 * Manager begins again with the first.
 */
export class Rotator {
  readonly #store = new RotationStore();

  /**
   * @param secretId the secret, where it is known by another name than the event's.
   * @throws {BrokerError} INVALID_REQUEST if this must not be done, else by what failed. It holds no secret.
   */
  async rotate(event: RotationEvent, database: KnownDatabase = {}, secretId = event.SecretId): Promise<void> {
    const { Step, ClientRequestToken: versionId, RotationToken: rotationToken } = event;
    const store = this.#store;
    const { rotationEnabled, labelsByVersion } = await store.describe(secretId);
    if (rotationEnabled === false) throw refused('its rotation is switched off');
    const labels = labelsByVersion.get(versionId);
    if (labels === undefined) throw refused('the token names none of its versions');
    if (labels.includes('AWSCURRENT')) return;
    if (!labels.includes('AWSPENDING')) throw refused('the version that the token names is not AWSPENDING');
    const [currentVersionId] = [...labelsByVersion].find(([, others]) => others.includes('AWSCURRENT')) ?? [];
    await STEPS[Step]({ secretId, versionId, rotationToken, currentVersionId, database, store });
  }
}

/** Generates the next password, unless there is one. */
async function createSecret(rotation: Rotation): Promise<void> {
  const { store, secretId, versionId, rotationToken } = rotation;
  const current = await readCurrent(rotation);
  if ((await readVersion(rotation, 'AWSPENDING', versionId)) !== undefined) return;
  const next = {
    ...current.fields,
    username: nextUsername(current),
    password: await store.randomPassword(),
  };
  await store.putPending(secretId, { versionId, text: JSON.stringify(next), rotationToken });
}

/** Checks that the next version can log in to its database. */
async function testSecret(rotation: Rotation): Promise<void> {
  const { database } = rotation;
  const { pending } = await readBoth(rotation);
  await using session = await logIn(pending, database, database.database ?? pending.database);
  await session.run('SELECT 1');
}

async function finishSecret({ store, secretId, versionId, currentVersionId }: Rotation): Promise<void> {
  await store.promote(secretId, versionId, currentVersionId);
}
