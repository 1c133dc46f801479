import { beforeAll, describe, expect, test, vi } from 'vitest';
import { HttpApp } from '../../../lib/broker/http/http-app.ts';
import { eventually, http } from '../../support/http.ts';
import { useBroker } from '../../support/use-broker.ts';

const addRoute = vi.spyOn(HttpApp.prototype, 'addRoute');
const { database, broker } = await useBroker({ databases: { quiet: { exposeMysqlMessages: false } } });

beforeAll(async () => {
  await eventually(
    async () => await http(`${broker.url}/readyz`),
    ({ text }) => !text.includes('starting'),
  );
});

const get = async (path: string, key: string = broker.keys.admin) =>
  await http(`${broker.url}${path}`, { headers: { authorization: `Bearer ${key}` } });

describe('an admin', () => {
  test('[13] sees the settings in force and the pool, and no password', async () => {
    const reply = await get('/v1/databases/default');
    expect(reply.json()).toMatchObject({
      alias: 'default',
      settings: { database: 'app', pool: { size: 10, maxOverflow: 10 }, session: { timeZone: '+00:00' } },
      pool: {
        size: 10,
        waiting: 0,
        status: expect.stringMatching(/^Pool size: 10 {2}Connections in pool: \d+ /),
      },
      credentials: { form: 'inline', versionId: 'inline', lookedAt: expect.stringMatching(/^20/) },
    });
    expect(reply.text).not.toContain(database.app.password);
  });

  test('sees every database', async () => {
    const { databases } = (await get('/v1/databases')).json() as { databases: { alias: string }[] };
    expect(databases.map(({ alias }) => alias)).toEqual(['default', 'quiet']);
  });
});

test('/readyz tells the state of each database, or of one', async () => {
  const all = await eventually(
    async () => await http(`${broker.url}/readyz`),
    ({ text }) => !text.includes('starting'),
  );
  expect([all.status, all.json()]).toEqual([
    200,
    { status: 'ready', databases: { default: 'up', quiet: 'up' } },
  ]);
  expect((await http(`${broker.url}/readyz?alias=quiet`)).json()).toEqual({
    status: 'ready',
    databases: { quiet: 'up' },
  });
  expect((await http(`${broker.url}/readyz?alias=nowhere`)).status).toBe(404);
});

test('[122] /metrics counts connections, waits, queries and errors', async () => {
  await broker.query('SELECT 1');
  await broker.post('/v1/databases/default/query', { sql: 'SELECT * FROM missing' });
  const { text } = await http(`${broker.url}/metrics`);
  expect(text).toMatch(/^broker_pool_connections\{database="default"\} [1-9]/m);
  expect(text).toMatch(/^broker_pool_waiting\{database="default"\} 0$/m);
  expect(text).toMatch(/^broker_query_duration_seconds_count\{database="default",outcome="ok"\} [1-9]/m);
  expect(text).toMatch(/^broker_checkout_wait_seconds_count\{database="default",outcome="ok"\} [1-9]/m);
  expect(text).toMatch(/^broker_errors_total\{database="default",code="SQL_ERROR"\} 1$/m);
});

test('[103] /metrics counts logins and closes for as long as the pool lives, whatever became of its connections', async () => {
  const count = async (metric: string) => {
    const { text } = await http(`${broker.url}/metrics`);
    const line = text.split('\n').find((one) => one.startsWith(`${metric} `));
    return Number(line?.split(' ')[1] ?? 0);
  };
  const logins = 'broker_connect_duration_seconds_count{database="quiet"}';
  const closes = 'broker_connections_closed_total{database="quiet",reason="invalidated"}';
  const before = await count(logins);
  await broker.post('/v1/databases/quiet/reconnect', {}, broker.keys.admin);
  await broker.post('/v1/databases/quiet/query', { sql: 'SELECT 1' });
  expect([await count(logins), await count(closes)]).toEqual([before + 1, 1]);
});

test('/metrics takes no label from what a caller invents', async () => {
  await broker.post('/v1/databases/invented/query', { sql: 'SELECT 1' });
  expect((await http(`${broker.url}/metrics`)).text).not.toContain('invented');
});

test('/openapi.json describes every call with the schemas that validate it', async () => {
  const document = (await http(`${broker.url}/openapi.json`)).json() as { paths: Record<string, object> };
  const described = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const routes = addRoute.mock.calls.map(
    ([{ method, path }]) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
  );
  // The page at / is for people.
  expect(described.sort()).toEqual(routes.filter((route) => route !== 'GET /').sort());
  expect(document).toMatchObject({
    openapi: '3.1.0',
    paths: { '/v1/databases/{alias}/query': { post: { requestBody: { required: true } } } },
    components: {
      schemas: { Statement: { properties: { sql: { type: 'string' } }, additionalProperties: false } },
    },
  });
});

test("a failure shows MySQL's own text unless the settings say no", async () => {
  const shown = await broker.post('/v1/databases/default/query', { sql: 'SELECT * FROM missing' });
  expect([shown.status, shown.json()]).toEqual([
    400,
    {
      error: expect.objectContaining({
        code: 'SQL_ERROR',
        message: "Table 'app.missing' doesn't exist",
        mysql: { errno: 1146, sqlState: '42S02', name: 'ER_NO_SUCH_TABLE' },
      }),
    },
  ]);
  const hidden = await broker.post('/v1/databases/quiet/query', { sql: 'SELECT * FROM missing' });
  expect(hidden.text).not.toContain('missing');
  expect(hidden.json()).toMatchObject({ error: { mysql: { errno: 1146 } } });
});

describe('the log', () => {
  test('names caller, database, code and request, and neither SQL nor values nor messages', async () => {
    const marker = 'marker_of_this_test';
    await broker.post('/v1/databases/default/query', { sql: `SELECT ? FROM ${marker}`, params: [marker] });
    const line = broker.logs.findLast((one) => one.includes('SQL_ERROR'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      caller: 'writer',
      database: 'default',
      code: 'SQL_ERROR',
      status: 400,
      reqId: expect.any(String),
      totalMs: expect.any(Number),
    });
    expect(broker.logs.join('')).not.toContain(marker);
  });

  test('holds no key and no password', () => {
    const logged = broker.logs.join('');
    for (const secret of [...Object.values(broker.keys), database.app.password])
      expect(logged).not.toContain(secret);
  });

  test('names who holds a connection for too long, and tells when it came back', () => {
    const { events } = broker.broker.pools.get('default').pool;
    const held = { caller: 'writer', purpose: 'request-7', heldMs: 60_000 };
    events.emit('held_too_long', held);
    events.emit('late_checkin', held);
    const lines = broker.logs.filter((line) => line.includes('held for too long'));
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ level: 40, database: 'default', caller: 'writer', reqId: 'request-7' }),
      expect.objectContaining({ heldMs: 60_000, msg: expect.stringContaining('came back') }),
    ]);
  });

  test('has an audit line for admin calls and for denied ones', async () => {
    await get('/v1/databases');
    await get('/v1/databases', broker.keys.reader);
    const audited = broker.logs
      .filter((line) => line.includes('"audit"'))
      .map((line) => JSON.parse(line) as object);
    expect(audited).toContainEqual(
      expect.objectContaining({ audit: 'admin', caller: 'admin', action: 'GET /v1/databases', status: 200 }),
    );
    expect(audited).toContainEqual(
      expect.objectContaining({ audit: 'denied', caller: 'reader', status: 403 }),
    );
  });
});
