import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import {
  beginRotation,
  contentOf,
  Input,
  moveLabel,
  notFound,
  putVersion,
  randomPassword,
  type Secret,
  type SecretVersion,
  ServiceError,
  updateStage,
  versionOf,
} from './secret-versions.ts';

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
  /** What happens to reads of values while it is set. */
  troubleOfReads: Trouble | undefined;
  /** Happens instead of this operation, which is not done, or after it was done. Once. */
  failNext: { readonly operation: string; readonly after: boolean } | undefined;
  /** What came with the last PutSecretValue. */
  lastRotationToken: string | undefined;
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

  /** The value that has this label, if there is one. */
  textOf(name: string, label: string): string | undefined {
    const versions = [...(this.#secrets.get(name)?.versions.values() ?? [])];
    const value = versions.find(({ labels }) => labels.has(label))?.value;
    return value === undefined ? undefined : Buffer.from(value).toString();
  }

  versionIdOf(name: string, label: string): string | undefined {
    const versions = [...(this.#secrets.get(name)?.versions.values() ?? [])];
    return versions.find(({ labels }) => labels.has(label))?.id;
  }

  arnOf(name: string): string {
    return this.#secrets.get(name)?.arn ?? '';
  }

  enableRotation(name: string, enabled: boolean): void {
    const secret = this.#secrets.get(name);
    if (secret === undefined) throw notFound();
    secret.rotationEnabled = enabled;
  }

  /** As RotateSecret does: a version that is AWSPENDING and has no value. Answers its id. */
  beginRotation(name: string): string {
    const secret = this.#secrets.get(name);
    if (secret === undefined) throw notFound();
    return beginRotation(secret, randomUUID());
  }

  /** Takes AWSPENDING away, as an operator does with a rotation that cannot succeed. */
  cancelRotation(name: string): void {
    for (const { labels } of this.#secrets.get(name)?.versions.values() ?? []) labels.delete('AWSPENDING');
  }

  /** Gives a version that is there its value. */
  fill(name: string, versionId: string, value: string): void {
    const version = this.#secrets.get(name)?.versions.get(versionId);
    if (version === undefined) throw notFound();
    version.value = value;
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
    const trouble = this.trouble ?? (operation === 'GetSecretValue' ? this.troubleOfReads : undefined);
    if (trouble === 'unreachable') throw new Error('cut off');
    if (trouble === 'silent') return await new Promise(() => undefined);
    try {
      if (trouble !== undefined) throw new ServiceError(trouble, 'as the test wants it');
      const failing = this.failNext?.operation === operation ? this.failNext : undefined;
      if (failing !== undefined) this.failNext = undefined;
      if (failing?.after === false) throw new ServiceError('InvalidRequestException', 'as the test wants it');
      const answer = this.#run(operation, Input.parse(JSON.parse(body)));
      if (failing?.after) throw new ServiceError('InvalidRequestException', 'as the test wants it');
      return { status: 200, body: answer };
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return { status: 400, body: { __type: error.name, Message: error.message } };
    }
  }

  #run(operation: string, input: Input): object {
    if (operation === 'GetRandomPassword') {
      return { RandomPassword: randomPassword(input) };
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
        return { ...names, RotationEnabled: secret.rotationEnabled, VersionIdsToStages };
      }
      case 'PutSecretValue':
      case 'UpdateSecret':
        this.lastRotationToken = input.RotationToken;
        return { ...names, VersionId: putVersion(secret, input), VersionStages: input.VersionStages };
      case 'RotateSecret':
        return { ...names, VersionId: beginRotation(secret, input.ClientRequestToken) };
      case 'UpdateSecretVersionStage':
        updateStage(secret, input);
        return names;
      default:
        throw new ServiceError('UnknownOperationException', operation);
    }
  }
}
