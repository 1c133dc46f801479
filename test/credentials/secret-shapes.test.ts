import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { credentialsSourceOf, runningSecretsManager } from './support/credentials-of.ts';

const FROM_SECRET = { credentials: { secretId: 'prod/shop' } };
const LOGIN = { host: 'db', port: 3306, database: undefined, username: 'app' };

describe('the login comes from a secret', () => {
  test.each<[string, object, object]>([
    [
      'as the RDS console writes it',
      {
        engine: 'mysql',
        host: 'db',
        port: 3307,
        username: 'app',
        password: 'pw',
        dbname: 'shop',
        ssl: 'true',
      },
      { port: 3307, database: 'shop' },
    ],
    [
      'with its port as text',
      { engine: 'mariadb', host: 'db', port: '3307', username: 'app', password: 'pw' },
      { port: 3307 },
    ],
    [
      'of a cluster',
      { engine: 'aurora-mysql', host: 'db', username: 'app', password: 'pw', dbClusterIdentifier: 'c' },
      {},
    ],
    [
      'with nulls and empty names',
      { host: 'db', username: 'app', password: 'pw', port: null, dbname: '' },
      {},
    ],
  ])('%s', async (_, secret, expected) => {
    const secrets = await runningSecretsManager();
    const versionId = secrets.put('prod/shop', JSON.stringify(secret));

    const login = await credentialsSourceOf(FROM_SECRET).current();

    expect({ ...login }).toEqual({ ...LOGIN, versionId, ...expected });
    expect(login.password).toBe('pw');
  });

  test('as the master secret that RDS manages: host, port and database come from the settings', async () => {
    const secrets = await runningSecretsManager();
    secrets.put('prod/shop', '{"username":"admin","password":"pw"}');

    const source = credentialsSourceOf({ ...FROM_SECRET, host: 'db.internal', port: 3310, database: 'shop' });

    expect(await source.current()).toMatchObject({
      host: 'db.internal',
      port: 3310,
      database: 'shop',
      username: 'admin',
      password: 'pw',
    });
  });

  test('in binary', async () => {
    const secrets = await runningSecretsManager();
    secrets.put('prod/shop', Buffer.from('{"username":"app","password":"pw","host":"db"}'));

    expect(await credentialsSourceOf(FROM_SECRET).current()).toMatchObject(LOGIN);
  });

  test('whose host, port and database give way to the settings', async () => {
    const secrets = await runningSecretsManager();
    secrets.put('prod/shop', '{"username":"app","password":"pw","host":"there","port":1,"dbname":"old"}');

    const source = credentialsSourceOf({ ...FROM_SECRET, host: 'here', port: 2, database: 'new' });

    expect(await source.current()).toMatchObject({ host: 'here', port: 2, database: 'new' });
  });
});

describe('a secret that cannot be used is refused without showing it', () => {
  test.each([
    ['hunter2', 'their secret is not JSON'],
    ['"hunter2"', 'their secret lacks, or has of the wrong kind: username, password'],
    ['{"username":"app","host":"hunter2"}', 'their secret lacks, or has of the wrong kind: password'],
    [
      '{"username":"app","password":"hunter2","port":"x"}',
      'their secret lacks, or has of the wrong kind: port',
    ],
    [
      '{"username":"app","password":"hunter2","engine":"postgres"}',
      'their secret lacks, or has of the wrong kind: engine',
    ],
    ['{"username":"app","password":"hunter2"}', 'neither the settings nor their secret name a host'],
  ])('%s', async (text, reason) => {
    const secrets = await runningSecretsManager();
    secrets.put('prod/shop', text);

    const error = await credentialsSourceOf(FROM_SECRET)
      .current()
      .catch((caught: unknown) => caught);

    expect(error).toMatchObject({ code: 'CREDENTIALS_REFUSED', reason });
    expect(inspect(error, { depth: null })).not.toContain('hunter2');
  });
});

test('inline credentials have a version that never changes', async () => {
  const source = credentialsSourceOf({ host: 'db', credentials: { username: 'app', password: 'pw' } });

  expect(await source.current()).toMatchObject({ ...LOGIN, versionId: 'inline' });
  expect((await source.refresh('inline')).versionId).toBe('inline');
});

test('a login that is printed or logged does not show its password', async () => {
  const login = await credentialsSourceOf({
    host: 'db',
    credentials: { username: 'app', password: 'hunter2' },
  }).current();

  expect(login.password).toBe('hunter2');
  expect(inspect(login) + JSON.stringify(login)).not.toContain('hunter2');
});
