import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SecretKey } from '../../../lib/client/transport/caller-key.ts';
import { openTransport } from '../../../lib/client/transport/open-transport.ts';
import { failure, StubBroker } from '../../support/stub-broker.ts';

const request = { method: 'GET', path: '/readyz', timeoutMs: 10_000 } as const;

/** What Secrets Manager holds, and how often it was asked. */
let secret = 'key-1';
let reads = 0;
let secretsManager: StubBroker;
let broker: StubBroker;
/** The key that the broker takes. */
let accepted = 'key-1';

beforeEach(async () => {
  [secret, accepted, reads] = ['key-1', 'key-1', 0];
  secretsManager = await StubBroker.start(({ headers }) => {
    if (headers['x-amz-target'] !== 'secretsmanager.GetSecretValue') return { status: 400, json: {} };
    reads += 1;
    return { headers: { 'content-type': 'application/x-amz-json-1.1' }, json: { SecretString: secret } };
  });
  broker = await StubBroker.start(({ headers }) =>
    headers.authorization === `Bearer ${accepted}` ? { json: {} } : failure(401, 'UNAUTHENTICATED'),
  );
  vi.stubEnv('BROKER_URL', broker.url.href);
  vi.stubEnv('BROKER_KEY', '');
  vi.stubEnv('BROKER_KEY_SECRET', 'test/caller-key');
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', secretsManager.url.href);
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await broker[Symbol.asyncDispose]();
  await secretsManager[Symbol.asyncDispose]();
});

test('a key that a secret holds is read once for all requests', async () => {
  const transport = openTransport();

  const replies = await Promise.all([transport.send(request), transport.send(request)]);
  replies.push(await transport.send(request));

  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(reads).toBe(1);
});

test('a key that was replaced is read again when the broker refuses the old one, once for all requests', async () => {
  const transport = openTransport();
  await transport.send(request);
  [secret, accepted] = ['key-2', 'key-2'];

  const replies = await Promise.all([transport.send(request), transport.send(request)]);

  expect(replies.map(({ status }) => status)).toEqual([200, 200]);
  expect(reads).toBe(2);
});

test('a key that is refused several times at once is read again once', async () => {
  const key = new SecretKey('test/caller-key');
  const old = await key.read();
  secret = 'key-2';

  await expect(Promise.all([key.replace(old), key.replace(old)])).resolves.toEqual(['key-2', 'key-2']);

  expect(reads).toBe(2);
});

test('a key that stays refused is sent once and looked up once more', async () => {
  accepted = 'another';

  await expect(openTransport().send(request)).resolves.toMatchObject({ status: 401 });

  expect([broker.seen.length, reads]).toEqual([1, 2]);
});

test('a secret that is not a bare key is UNAUTHENTICATED and is not shown', async () => {
  secret = '{"key": "hidden value"}';

  const failed: unknown = await openTransport()
    .send(request)
    .catch((error: unknown) => error);

  expect(failed).toMatchObject({ code: 'UNAUTHENTICATED', outcome: 'not_applied' });
  expect(String(failed)).not.toContain('hidden value');
});

test('a secret that could not be read is tried again by the next request', async () => {
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
  secretsManager.answer = () => ({
    status: 400,
    json: { __type: 'ResourceNotFoundException', Message: 'none' },
  });
  const transport = openTransport();
  await expect(transport.send(request)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });

  secretsManager.answer = () => ({ json: { SecretString: secret } });

  await expect(transport.send(request)).resolves.toMatchObject({ status: 200 });
});

test('BROKER_KEY goes before BROKER_KEY_SECRET, and a key that is given before both', async () => {
  vi.stubEnv('BROKER_KEY', 'from-environment');

  await openTransport().send(request);
  await openTransport({ key: 'given' }).send(request);

  const sent = broker.seen.map(({ headers }) => headers.authorization);
  expect(sent).toEqual(['Bearer from-environment', 'Bearer given']);
  expect(reads).toBe(0);
});

test('without any key no authorization is sent', async () => {
  vi.stubEnv('BROKER_KEY_SECRET', '');

  await openTransport().send(request);

  expect(broker.seen[0]?.headers.authorization).toBeUndefined();
});
