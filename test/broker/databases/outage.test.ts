import { afterAll, expect, test } from 'vitest';
import { startTestBroker } from '../../support/broker.ts';
import { startOwnDatabase } from '../../support/database/own-database.ts';
import { eventually, http } from '../../support/http.ts';
import { untilRunning } from '../../support/running-statements.ts';

const database = await startOwnDatabase();
afterAll(database.stop);
const broker = await startTestBroker(database);
afterAll(broker.stop);

const ask = async () => await broker.post('/v1/databases/default/query', { sql: 'SELECT 1' });
const ready = async () => (await http(`${broker.url}/readyz`)).status;

test('a database that goes away is a 502, and comes back by itself', async () => {
  await eventually(ready, (status) => status === 200);
  expect((await ask()).status).toBe(200);

  await database.server.kill();
  const lost = await eventually(ask, ({ status }) => status === 502);
  expect(lost.json()).toMatchObject({
    error: { code: expect.stringMatching(/DATABASE_UNREACHABLE|CONNECTION_LOST/) },
  });
  const refused = await ask();
  expect([refused.status, refused.json()]).toEqual([
    502,
    {
      error: expect.objectContaining({
        code: 'DATABASE_UNREACHABLE',
        retryable: true,
        outcome: 'not_applied',
      }),
    },
  ]);
  expect(await ready()).toBe(503);
  expect((await http(`${broker.url}/healthz`)).status).toBe(200);

  await database.server.start();
  // Nobody asks for a connection: the broker finds out by itself.
  await eventually(ready, (status) => status === 200);
  expect((await ask()).status).toBe(200);
});

test('a statement that is lost on the way says that it may have been applied', async () => {
  await database.admin.query('CREATE TABLE IF NOT EXISTS app.slow (n INT)');
  const asked = broker.post('/v1/databases/default/query', { sql: 'INSERT INTO slow SELECT SLEEP(60)' });
  const [thread] = await untilRunning(database, 'INSERT INTO slow%');
  await database.admin.query(`KILL CONNECTION ${thread}`);
  const reply = await asked;
  expect([reply.status, reply.json()]).toEqual([
    502,
    { error: expect.objectContaining({ code: 'CONNECTION_LOST', outcome: 'unknown', retryable: false }) },
  ]);
});
