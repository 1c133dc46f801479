import { afterAll, expect, test } from 'vitest';
import { startTestDatabase } from '../../support/database/database.ts';
import { startOwnDatabase } from '../../support/database/own-database.ts';
import { eventually, http } from '../../support/http.ts';
import { SECRET_ID, startRotatingBroker } from '../../support/rotation/rotating-broker.ts';

const database = await startTestDatabase();
afterAll(database.stop);

const THREE_CONNECTIONS = { default: { pool: { size: 3, maxOverflow: 0 } } };
const SERVER_OF_SECRET = { default: { host: undefined, port: undefined } };
const QUERY = '/v1/databases/default/query';

test('while a rotation is under way, logins take the pending password, and its end changes nothing', async () => {
  const rotating = await startRotatingBroker(database, { databases: THREE_CONNECTIONS });
  const { broker, secrets, secretWith, setPassword, killAll, threads, refresh } = rotating;
  const askThree = async () =>
    await Promise.all([1, 2, 3].map(async () => await broker.post(QUERY, { sql: 'SELECT SLEEP(0.1)' })));
  await askThree();

  const pendingId = secrets.put(SECRET_ID, secretWith('new'), 'AWSPENDING');
  await setPassword('new');
  await killAll();
  await eventually(askThree, (replies) => replies.every(({ status }) => status === 200));
  const newThreads = await threads();
  expect(newThreads).toHaveLength(3);
  expect(await refresh()).toEqual({ changed: false, versionId: pendingId });

  secrets.label(SECRET_ID, 'AWSCURRENT', pendingId);
  expect(await refresh()).toEqual({ changed: false, versionId: pendingId });
  await askThree();
  expect(await threads()).toEqual(newThreads);
});

test.each([
  ['of another user', { username: 'somebody' }],
  ['on another server', { host: '127.0.0.2' }],
])('a pending version %s is not tried', async (_, more) => {
  const { broker, secrets, secretWith, setPassword, killAll } = await startRotatingBroker(database, {
    databases: SERVER_OF_SECRET,
  });
  await broker.query('SELECT 1');
  secrets.put(SECRET_ID, secretWith('new', more), 'AWSPENDING');
  await setPassword('new');
  await killAll();

  const ask = async () => await broker.post(QUERY, { sql: 'SELECT 1' });
  const refused = await eventually(ask, ({ text }) => text.includes('CREDENTIALS_REFUSED'));
  expect(refused.status).toBe(502);
  expect(secrets.seen).toContain('GetSecretValue AWSPENDING');
});

test('a new version closes idle connections, and spares a running statement and an open transaction', async () => {
  const { broker, secrets, secretWith, setPassword, threads, refresh } = await startRotatingBroker(database);
  const begun = await broker.post('/v1/databases/default/transactions', {});
  const { transactionId } = begun.json() as { transactionId: string };
  const running = broker.post(QUERY, { sql: 'SELECT SLEEP(2), CONNECTION_ID()' });
  const idle = (await broker.query('SELECT CONNECTION_ID()')).rows[0]?.[0];

  await setPassword('new');
  const versionId = secrets.put(SECRET_ID, secretWith('new'));
  expect(await refresh()).toEqual({ changed: true, versionId });

  await eventually(threads, (ids) => !ids.includes(Number(idle)), 1_000);
  const inTransaction = await broker.post(`/v1/transactions/${transactionId}/query`, { sql: 'SELECT 1' });
  const committed = await broker.post(`/v1/transactions/${transactionId}/commit`, {});
  expect([inTransaction.status, committed.status, (await running).status]).toEqual([200, 200, 200]);
  const fresh = (await broker.query('SELECT CONNECTION_ID()')).rows[0]?.[0];
  await eventually(threads, (ids) => ids.every((id) => id >= Number(fresh)), 1_000);
});

test('a statement that is stopped after its password changed is stopped all the same', async () => {
  const { broker, secrets, secretWith, setPassword, threads, refresh } = await startRotatingBroker(database);
  const stopped = broker.post(QUERY, { sql: 'SELECT SLEEP(60), CONNECTION_ID()', timeoutMs: 1_500 });
  await eventually(threads, (ids) => ids.length > 0);
  await setPassword('new');
  secrets.put(SECRET_ID, secretWith('new'));
  await refresh();

  expect((await stopped).json()).toMatchObject({
    error: { code: 'DEADLINE_EXCEEDED', outcome: 'not_applied' },
  });
  const sleeping = async () =>
    await database.admin.query(
      "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(60)%'",
    );
  await eventually(sleeping, (rows) => rows.length === 0, 2_000);
});

test('a secret that names another server moves the pool there', async () => {
  await using other = await startOwnDatabase();
  const { broker, secrets, secretWith, user, refresh } = await startRotatingBroker(database, {
    databases: SERVER_OF_SECRET,
  });
  await other.admin.createUser({ ...other.app, user, password: 'there' });
  const port = async () => (await broker.query('SELECT @@port')).rows[0]?.[0];
  expect(Number(await port())).toBe(database.server.port);

  secrets.put(SECRET_ID, secretWith('there', { port: other.server.port }));
  await refresh();

  expect(Number(await port())).toBe(other.server.port);
});

test('while Secrets Manager is down everything is served, /readyz says why, and a refresh fails', async () => {
  const { broker, secrets, refresh } = await startRotatingBroker(database);
  await broker.query('SELECT 1');
  secrets.trouble = 'ThrottlingException';

  const reason = 'The secret cannot be read: Secrets Manager did not answer (ThrottlingException)';
  expect(await refresh()).toMatchObject({ error: { code: 'DATABASE_UNREACHABLE', message: reason } });
  await broker.query('SELECT 1');
  const ready = await http(`${broker.url}/readyz`);
  expect([ready.status, ready.json()]).toEqual([
    200,
    { status: 'ready', databases: { default: 'up' }, staleCredentials: { default: reason } },
  ]);
});

test('/readyz names credentials that could never be read, with the reason', async () => {
  const credentials = { file: '/nowhere/credentials.json' };
  const { broker } = await startRotatingBroker(database, { databases: { other: { credentials } } });
  const ready = async () => (await http(`${broker.url}/readyz`)).json() as { staleCredentials?: object };
  const told = await eventually(ready, ({ staleCredentials }) => staleCredentials !== undefined);
  expect(told.staleCredentials).toEqual({ other: expect.stringContaining('cannot be read') });
});

test('only an admin may refresh, and it leaves an audit line', async () => {
  const { broker } = await startRotatingBroker(database);
  const path = '/v1/databases/default/refresh-credentials';
  expect((await broker.post(path, {}, broker.keys.writer)).status).toBe(403);
  expect((await broker.post(path, {}, broker.keys.admin)).status).toBe(200);
  const audited = broker.logs.filter((line) => line.includes(`"action":"POST ${path}"`));
  expect(audited.map((line) => JSON.parse(line) as object)).toEqual([
    expect.objectContaining({ audit: 'denied', status: 403 }),
    expect.objectContaining({ audit: 'admin', status: 200 }),
  ]);
});
