import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import * as z from 'zod';

interface SecretVersion {
  readonly id: string;
  /** A version that is being made has its label before it has its value. */
  value: string | Uint8Array | undefined;
  readonly labels: Set<string>;
}

interface Secret {
  readonly name: string;
  readonly arn: string;
  readonly versions: Map<string, SecretVersion>;
}

const Input = z.object({
  SecretId: z.string().default(''),
  VersionId: z.string().optional(),
  VersionStage: z.string().optional(),
  VersionStages: z.array(z.string()).default(['AWSCURRENT']),
  SecretString: z.string().optional(),
  ClientRequestToken: z.string().default(() => randomUUID()),
  MoveToVersionId: z.string().default(''),
  RemoveFromVersionId: z.string().optional(),
  PasswordLength: z.int().default(32),
});
type Input = z.infer<typeof Input>;

class ServiceError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** `unreachable` cuts the connection, `silent` never answers; anything else is the error that it answers. */
type Trouble = 'unreachable' | 'silent' | `${string}Exception`;

/** Secrets Manager over HTTP, as the real SDK speaks to it: labels, versions, rotation. Its secrets live in memory. */
export class FakeSecretsManager {
  /** Names of the operations that were asked for, in order. */
  readonly calls: string[] = [];
  /** The same with the label that they named. */
  readonly seen: string[] = [];
  /** What happens to every call while it is set. */
  trouble: Trouble | undefined;
  readonly #secrets = new Map<string, Secret>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request).then(
        ({ status, body }) => {
          response
            .writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
            .end(JSON.stringify(body));
        },
        () => request.socket.destroy(),
      );
    });
  }

  static async start(): Promise<FakeSecretsManager> {
    const fake = new FakeSecretsManager();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  /** What the SDK needs to find it. */
  get environment(): Record<string, string> {
    const address = this.#server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    return {
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${port}`,
    };
  }

  /** Makes the value the version of the secret, which may be new, that has this label. Answers the id of the version. */
  put(name: string, value: string | Uint8Array | undefined, label = 'AWSCURRENT'): string {
    const secret = this.#secrets.get(name) ?? this.#create(name);
    const id = randomUUID();
    secret.versions.set(id, { id, value, labels: new Set() });
    moveLabel(secret, label, id);
    return id;
  }

  /** Moves a label to a version that exists. */
  label(name: string, label: string, versionId: string): void {
    const secret = this.#secrets.get(name);
    if (secret === undefined) throw notFound();
    moveLabel(secret, label, versionId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #create(name: string): Secret {
    const arn = `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}-AbCdEf`;
    const secret = { name, arn, versions: new Map<string, SecretVersion>() };
    this.#secrets.set(name, secret);
    return secret;
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const operation = String(request.headers['x-amz-target']).replace('secretsmanager.', '');
    this.calls.push(operation);
    const body = await text(request);
    this.seen.push(`${operation} ${Input.parse(JSON.parse(body)).VersionStage ?? ''}`.trim());
    if (this.trouble === 'unreachable') throw new Error('cut off');
    if (this.trouble === 'silent') return await new Promise(() => undefined);
    try {
      if (this.trouble !== undefined) throw new ServiceError(this.trouble, 'as the test wants it');
      return { status: 200, body: this.#run(operation, Input.parse(JSON.parse(body))) };
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return { status: 400, body: { __type: error.name, Message: error.message } };
    }
  }

  #run(operation: string, input: Input): object {
    if (operation === 'GetRandomPassword') {
      return {
        RandomPassword: randomBytes(input.PasswordLength).toString('hex').slice(0, input.PasswordLength),
      };
    }
    const secret = [...this.#secrets.values()].find(({ name, arn }) => [name, arn].includes(input.SecretId));
    if (secret === undefined) throw notFound();
    const names = { ARN: secret.arn, Name: secret.name };
    switch (operation) {
      case 'GetSecretValue':
        return { ...names, ...contentOf(versionOf(secret, input)) };
      case 'DescribeSecret': {
        const labelled = [...secret.versions.values()].filter(({ labels }) => labels.size > 0);
        const VersionIdsToStages = Object.fromEntries(labelled.map(({ id, labels }) => [id, [...labels]]));
        return { ...names, RotationEnabled: true, VersionIdsToStages };
      }
      case 'PutSecretValue':
        return { ...names, VersionId: putVersion(secret, input), VersionStages: input.VersionStages };
      case 'RotateSecret':
        addVersion(secret, input.ClientRequestToken, undefined);
        moveLabel(secret, 'AWSPENDING', input.ClientRequestToken);
        return { ...names, VersionId: input.ClientRequestToken };
      case 'UpdateSecretVersionStage':
        updateStage(secret, input);
        return names;
      default:
        throw new ServiceError('UnknownOperationException', operation);
    }
  }
}

function notFound(): ServiceError {
  return new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
}

function versionOf(secret: Secret, { VersionId, VersionStage }: Input): SecretVersion {
  const label = VersionStage ?? (VersionId === undefined ? 'AWSCURRENT' : undefined);
  const version = [...secret.versions.values()].find(
    ({ id, labels }) =>
      (VersionId === undefined || id === VersionId) && (label === undefined || labels.has(label)),
  );
  if (version?.value === undefined) throw notFound();
  return version;
}

function contentOf({ id, value, labels }: SecretVersion): object {
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

function putVersion(secret: Secret, { ClientRequestToken, SecretString, VersionStages }: Input): string {
  const version = addVersion(secret, ClientRequestToken, SecretString);
  if (version.value !== SecretString) {
    throw new ServiceError('ResourceExistsException', 'The token was used with another value');
  }
  for (const label of VersionStages) moveLabel(secret, label, version.id);
  return version.id;
}

function updateStage(
  secret: Secret,
  { VersionStage = '', MoveToVersionId, RemoveFromVersionId }: Input,
): void {
  const holder = [...secret.versions.values()].find(({ labels }) => labels.has(VersionStage));
  if (holder !== undefined && holder.id !== MoveToVersionId && holder.id !== RemoveFromVersionId) {
    throw new ServiceError('InvalidParameterException', `The label is on version ${holder.id}`);
  }
  moveLabel(secret, VersionStage, MoveToVersionId);
}

/** A label is on one version. The one that AWSCURRENT leaves becomes AWSPREVIOUS. */
function moveLabel(secret: Secret, label: string, toId: string): void {
  const to = secret.versions.get(toId);
  if (to === undefined) throw notFound();
  for (const version of secret.versions.values()) {
    if (version.labels.delete(label) && label === 'AWSCURRENT' && version !== to) {
      moveLabel(secret, 'AWSPREVIOUS', version.id);
    }
  }
  to.labels.add(label);
}
