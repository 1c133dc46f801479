import { randomInt, randomUUID } from 'node:crypto';
import * as z from 'zod';

// What the double of Secrets Manager keeps, and how its operations change that.

export interface SecretVersion {
  readonly id: string;
  /** A version that is being made has its label before it has its value. */
  value: string | Uint8Array | undefined;
  readonly labels: Set<string>;
}

export interface Secret {
  readonly name: string;
  readonly arn: string;
  readonly versions: Map<string, SecretVersion>;
  /** Absent until rotation is set up. */
  rotationEnabled?: boolean;
}

export const Input = z.object({
  SecretId: z.string().default(''),
  VersionId: z.string().optional(),
  VersionStage: z.string().optional(),
  VersionStages: z.array(z.string()).default(['AWSCURRENT']),
  SecretString: z.string().optional(),
  ClientRequestToken: z.string().default(() => randomUUID()),
  MoveToVersionId: z.string().default(''),
  RemoveFromVersionId: z.string().optional(),
  RotationToken: z.string().optional(),
  PasswordLength: z.int().default(32),
  ExcludeCharacters: z.string().default(''),
});
export type Input = z.infer<typeof Input>;

export class ServiceError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

export function notFound(): ServiceError {
  return new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
}

export function versionOf(secret: Secret, { VersionId, VersionStage }: Input): SecretVersion {
  const label = VersionStage ?? (VersionId === undefined ? 'AWSCURRENT' : undefined);
  const version = [...secret.versions.values()].find(
    ({ id, labels }) =>
      (VersionId === undefined || id === VersionId) && (label === undefined || labels.has(label)),
  );
  if (version?.value === undefined) throw notFound();
  return version;
}

export function contentOf({ id, value, labels }: SecretVersion): object {
  const content =
    value instanceof Uint8Array
      ? { SecretBinary: Buffer.from(value).toString('base64') }
      : { SecretString: value };
  return { ...content, VersionId: id, VersionStages: [...labels], CreatedDate: 1_700_000_000 };
}

function addVersion(secret: Secret, id: string, value: string | undefined): SecretVersion {
  const version = secret.versions.get(id) ?? { id, value, labels: new Set<string>() };
  version.value ??= value;
  secret.versions.set(id, version);
  return version;
}

export function putVersion(
  secret: Secret,
  { ClientRequestToken, SecretString, VersionStages }: Input,
): string {
  const version = addVersion(secret, ClientRequestToken, SecretString);
  if (version.value !== SecretString) {
    throw new ServiceError('ResourceExistsException', 'The token was used with another value');
  }
  for (const label of VersionStages) moveLabel(secret, label, version.id);
  return version.id;
}

/** Refused while another rotation is under way: its label is not where AWSCURRENT is. */
export function beginRotation(secret: Secret, versionId: string): string {
  for (const { id, labels } of secret.versions.values()) {
    if (labels.has('AWSPENDING') && !labels.has('AWSCURRENT') && id !== versionId) {
      throw new ServiceError('InvalidRequestException', "A previous rotation isn't complete");
    }
  }
  addVersion(secret, versionId, undefined);
  moveLabel(secret, 'AWSPENDING', versionId);
  secret.rotationEnabled = true;
  return versionId;
}

/** One of each kind of character, as RequireEachIncludedType asks, and any for the rest. */
export function randomPassword({ PasswordLength, ExcludeCharacters }: Input): string {
  const kinds = [/[A-Z]/, /[a-z]/, /\d/, /[^A-Za-z\d]/].map((kind) =>
    Array.from({ length: 94 }, (_, code) => String.fromCharCode(33 + code)).filter(
      (character) => kind.test(character) && !ExcludeCharacters.includes(character),
    ),
  );
  const pools = [...kinds, ...new Array<string[]>(PasswordLength - kinds.length).fill(kinds.flat())];
  return pools.map((pool) => pool[randomInt(pool.length)]).join('');
}

export function updateStage(
  secret: Secret,
  { VersionStage = '', MoveToVersionId, RemoveFromVersionId }: Input,
): void {
  const holder = [...secret.versions.values()].find(({ labels }) => labels.has(VersionStage));
  if (!secret.versions.has(MoveToVersionId)) throw notFound();
  if (holder !== undefined && holder.id !== MoveToVersionId && holder.id !== RemoveFromVersionId) {
    throw new ServiceError('InvalidParameterException', `The label is on version ${holder.id}`);
  }
  moveLabel(secret, VersionStage, MoveToVersionId);
}

/** A label is on one version. The one that AWSCURRENT leaves becomes AWSPREVIOUS. */
export function moveLabel(secret: Secret, label: string, toId: string): void {
  const to = secret.versions.get(toId);
  if (to === undefined) throw notFound();
  for (const version of secret.versions.values()) {
    if (version.labels.delete(label) && label === 'AWSCURRENT' && version !== to) {
      moveLabel(secret, 'AWSPREVIOUS', version.id);
    }
  }
  to.labels.add(label);
}
