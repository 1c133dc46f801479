import { createHash, createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RdsTokenSigner } from '../../lib/aws/rds-token.ts';

const NOW = '20300102T030405Z';
const use = { host: 'db.abc.eu-west-1.rds.amazonaws.com', port: 3306, username: 'app user*' };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2030-01-02T03:04:05Z') });
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'very-secret');
  vi.stubEnv('AWS_SESSION_TOKEN', 'a+b/c=');
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

/** Signature version 4 from its description, for a request with nothing but a query and a host. */
function signature(query: string, host: string, region: string): string {
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const request = ['GET', '/', query, `host:${host}`, '', 'host', sha256('')].join('\n');
  const scope = ['20300102', region, 'rds-db', 'aws4_request'];
  const key = scope.reduce<string | Buffer>(hmac, 'AWS4very-secret');
  const text = ['AWS4-HMAC-SHA256', NOW, scope.join('/'), sha256(request)].join('\n');
  return hmac(key, text).toString('hex');
}

test.each([
  [use.host, 'eu-west-1'],
  ['db.internal', 'us-east-1'],
])('a token for %s is a request signed for %s that is good for 15 minutes', async (host, region) => {
  const { text } = await new RdsTokenSigner().sign({ ...use, host });

  const [address, query = ''] = text.split('/?');
  expect(address).toBe(`${host}:3306`);
  const { 'X-Amz-Signature': signed, ...parameters } = Object.fromEntries(new URLSearchParams(query));
  expect(parameters).toEqual({
    Action: 'connect',
    DBUser: 'app user*',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `AKIDEXAMPLE/20300102/${region}/rds-db/aws4_request`,
    'X-Amz-Date': NOW,
    'X-Amz-Expires': '900',
    'X-Amz-Security-Token': 'a+b/c=',
    'X-Amz-SignedHeaders': 'host',
  });
  const others = query.split('&').filter((pair) => !pair.startsWith('X-Amz-Signature='));
  expect(others).toContain('DBUser=app%20user%2A');
  expect(signed).toBe(signature(others.toSorted().join('&'), `${host}:3306`, region));
});

test('a token is used for ten minutes, and no longer than the credentials live', async () => {
  const usable = async () => (await new RdsTokenSigner().sign(use)).usableUntilMs - Date.now();
  expect(await usable()).toBe(600_000);

  vi.stubEnv('AWS_CREDENTIAL_EXPIRATION', '2030-01-02T03:10:05Z');
  expect(await usable()).toBe(360_000);
});

test.each([undefined, ''])('with the region %j there is no token, and the reason says so', async (region) => {
  vi.stubEnv('AWS_REGION', region);
  vi.stubEnv('AWS_CONFIG_FILE', '/nowhere');

  await expect(new RdsTokenSigner().sign({ ...use, host: 'db.internal' })).rejects.toMatchObject({
    code: 'CREDENTIALS_REFUSED',
    reason: 'neither AWS_REGION nor the host name tells the region',
  });
});

test('without AWS credentials there is no token, and the reason says so', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', '');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere');
  vi.stubEnv('AWS_CONFIG_FILE', '/nowhere');

  await expect(new RdsTokenSigner().sign(use)).rejects.toMatchObject({
    code: 'CREDENTIALS_REFUSED',
    reason: 'the broker has no AWS credentials',
  });
});
