import { expect, test } from 'vitest';
import { eventually, http } from '../../support/http.ts';
import { useBroker } from '../../support/use-broker.ts';
import { literal } from '../support/dialect.ts';

const { database, broker } = await useBroker();

const control = async (action: string, key: string = broker.keys.admin) =>
  await http(`${broker.url}/v1/databases/default/${action}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
  });

const connectionId = async () => (await broker.query('SELECT CONNECTION_ID()')).rows[0]?.[0];

test('pause holds a query in line, and resume lets it go', async () => {
  await broker.query('SELECT 1');
  const paused = await control('pause');
  expect([paused.status, paused.json()]).toEqual([200, expect.objectContaining({ paused: true })]);
  const asked = broker.query('SELECT 1');
  const { pool } = broker.broker.pools.get('default');
  await eventually(
    async () => pool.stats(),
    ({ waiting }) => waiting === 1,
  );
  expect(await control('resume').then((reply) => reply.json())).toMatchObject({ paused: false });
  expect((await asked).rows).toEqual([[literal(database.server, 1)]]);
});

test('a paused database answers POOL_TIMEOUT or DEADLINE_EXCEEDED, and says nothing was applied', async () => {
  await control('pause');
  const reply = await broker.post('/v1/databases/default/query', { sql: 'SELECT 1', timeoutMs: 50 });
  await control('resume');
  expect([reply.status, reply.json()]).toEqual([
    504,
    { error: expect.objectContaining({ code: 'DEADLINE_EXCEEDED', outcome: 'not_applied' }) },
  ]);
});

test('reconnect replaces the connection that queries ran on', async () => {
  const before = await connectionId();
  expect(await connectionId()).toBe(before);
  expect((await control('reconnect')).status).toBe(200);
  expect(await connectionId()).not.toBe(before);
});

test.each(['pause', 'resume', 'reconnect'])('%s is for admins, and leaves an audit line', async (action) => {
  expect((await control(action, broker.keys.writer)).status).toBe(403);
  expect((await control(action)).status).toBe(200);
  await control('resume');
  expect(broker.logs.join('')).toContain(
    `"audit":"admin","caller":"admin","action":"POST /v1/databases/default/${action}"`,
  );
});

test('/openapi.json describes all three', async () => {
  const document = (await http(`${broker.url}/openapi.json`)).text;
  for (const action of ['pause', 'resume', 'reconnect']) expect(document).toContain(`{alias}/${action}`);
});
