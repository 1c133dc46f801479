import { afterEach, describe, expect, test, vi } from 'vitest';
import { BrokerTasks } from '../../functions/broker-tasks.ts';
import { handler } from '../../functions/credentials-rotated.ts';
import { startTestDatabase } from '../support/database/database.ts';
import { SECRET_ID, startRotatingBroker } from '../support/rotation/rotating-broker.ts';
import { failure, type SeenRequest, StubBroker } from '../support/stub-broker.ts';
import { contextWith } from './support/lambda.ts';

const LABEL_UPDATED = {
  source: 'aws.secretsmanager',
  'detail-type': 'Secret Label Updated',
  detail: { name: SECRET_ID, labelUpdated: 'AWSCURRENT', versionId: 'v2' },
};
const ROTATION_SUCCEEDED = {
  source: 'aws.secretsmanager',
  'detail-type': 'AWS Service Event via CloudTrail',
  detail: { eventSource: 'secretsmanager.amazonaws.com', eventName: 'RotationSucceeded' },
};

const DATABASES = {
  databases: [
    { alias: 'shop', credentials: { form: 'secretId' } },
    { alias: 'local', credentials: { form: 'file' } },
    { alias: 'reporting', credentials: { form: 'secretId' } },
  ],
};
const answer = ({ path }: SeenRequest) => ({
  json: path === '/v1/databases' ? DATABASES : { changed: true, versionId: 'v2' },
});
const pathsOf = ({ seen }: StubBroker) => seen.map(({ path }) => path);

/** The first look at DNS finds the first addresses, and so on; the last ones stay. */
function dnsWith(...looks: string[][]): BrokerTasks {
  return new BrokerTasks(async () => {
    const found = looks.length > 1 ? looks.shift() : looks[0];
    return (found ?? []).map((address) => ({ address, family: 4 }));
  });
}

function useBrokerAt(port: number): void {
  vi.stubEnv('BROKER_URL', `http://broker.test:${port}`);
  vi.stubEnv('BROKER_KEY', 'admin-key');
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('of the tasks of a broker', () => {
  test('each one is told for all its secrets, with the admin key', async () => {
    await using one = await StubBroker.start(answer, '127.0.0.1');
    await using other = await StubBroker.start(answer, '127.0.0.2', one.port);
    useBrokerAt(one.port);

    expect(await dnsWith(['127.0.0.1', '127.0.0.2']).refreshCredentials('r')).toBe(2);

    for (const broker of [one, other]) {
      expect(pathsOf(broker)).toEqual([
        '/v1/databases',
        '/v1/databases/shop/refresh-credentials',
        '/v1/databases/reporting/refresh-credentials',
      ]);
      expect(broker.seen[0]?.headers.authorization).toBe('Bearer admin-key');
    }
  });

  test('one that came meanwhile is told too, and no one twice', async () => {
    await using one = await StubBroker.start(answer, '127.0.0.1');
    await using late = await StubBroker.start(answer, '127.0.0.2', one.port);
    useBrokerAt(one.port);

    expect(await dnsWith(['127.0.0.1'], ['127.0.0.1', '127.0.0.2']).refreshCredentials('r')).toBe(2);

    expect([one.seen.length, late.seen.length]).toEqual([3, 3]);
  });

  test.each([
    ['that is gone from DNS', [['127.0.0.1', '127.0.0.2'], ['127.0.0.1']]],
    ['at whose address nobody listens', [['127.0.0.1', '127.0.0.2']]],
  ])('one %s need not be told', async (_, looks) => {
    await using one = await StubBroker.start(answer, '127.0.0.1');
    useBrokerAt(one.port);

    expect(await dnsWith(...looks).refreshCredentials('r')).toBe(1);
  });

  test('if none of them listens, the function fails', async () => {
    useBrokerAt(1);

    const telling = dnsWith(['127.0.0.1']).refreshCredentials('r');

    await expect(telling).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
  });

  test('one that fails again makes the function fail, and the others are told', async () => {
    await using one = await StubBroker.start(answer, '127.0.0.1');
    const refuse = () => failure(502, 'DATABASE_UNREACHABLE');
    await using broken = await StubBroker.start(refuse, '127.0.0.2', one.port);
    useBrokerAt(one.port);

    const telling = dnsWith(['127.0.0.2', '127.0.0.1']).refreshCredentials('r');

    await expect(telling).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    expect([one.seen.length, broken.seen.length]).toEqual([3, 2]);
  });
});

test('either event brings a broker to the new version', async () => {
  await using database = await startTestDatabase();
  const { broker, secrets, secretWith } = await startRotatingBroker(database);
  await broker.query('SELECT 1');
  vi.stubEnv('BROKER_URL', broker.url);
  vi.stubEnv('BROKER_KEY', broker.keys.admin);
  const { credentials } = broker.broker.pools.get('default');

  for (const event of [LABEL_UPDATED, ROTATION_SUCCEEDED]) {
    const versionId = secrets.put(SECRET_ID, secretWith('new'));
    expect(await handler(event, contextWith())).toEqual({ told: 1 });
    expect(credentials.status().versionId).toBe(versionId);
  }
  await broker.stop();
});

test('other labels are nothing to tell', async () => {
  const detail = { ...LABEL_UPDATED.detail, labelUpdated: 'AWSPENDING' };

  expect(await handler({ ...LABEL_UPDATED, detail }, contextWith())).toEqual({ told: 0 });
});
