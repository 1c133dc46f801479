import { expect, test } from 'vitest';
import { http } from '../../support/http.ts';
import { untilRunning } from '../../support/running-statements.ts';
import { useBroker } from '../../support/use-broker.ts';

const { database, broker } = await useBroker({
  databases: { default: { pool: { size: 1, maxOverflow: 0 } } },
});

const PATH = '/v1/databases/default/query';
const connectionId = async () => (await broker.query('SELECT CONNECTION_ID()')).rows[0]?.[0];
const generation = () => broker.broker.pools.get('default').pool.stats().generation;

test.each(['SELECT * FROM missing', 'SELEC 1', 'SELECT 1 / (SELECT 1 UNION SELECT 2)'])(
  '[73] %s fails alone: the next statement has the same connection',
  async (sql) => {
    const before = await connectionId();
    expect((await broker.post(PATH, { sql })).status).toBe(400);
    expect(await connectionId()).toBe(before);
  },
);

test('[75] a statement that is stopped at its deadline takes no other connection with it', async () => {
  const before = generation();
  const stopped = await broker.post(PATH, { sql: 'SELECT SLEEP(10)', timeoutMs: 100 });
  expect(stopped.status).toBe(504);
  await broker.query('SELECT 1');
  expect(generation()).toBe(before);
});

test('[75] nor does one whose caller hangs up', async () => {
  const before = generation();
  const left = http(broker.queryUrl(), {
    headers: broker.headers(),
    body: JSON.stringify({ sql: 'SELECT SLEEP(10)' }),
    signal: AbortSignal.timeout(100),
  });
  await expect(left).rejects.toThrow();
  await broker.query('SELECT 1');
  expect(generation()).toBe(before);
});

test('[72] a statement whose connection is killed fails; the next one is served, and no other connection goes', async () => {
  const before = generation();
  const id = await connectionId();
  const asked = broker.post(PATH, { sql: 'SELECT SLEEP(10)' });
  await untilRunning(database, 'SELECT SLEEP%');
  await database.admin.query(`KILL CONNECTION ${String(id)}`);
  expect((await asked).json()).toMatchObject({ error: { code: 'CONNECTION_LOST', outcome: 'not_applied' } });
  expect(await connectionId()).not.toBe(id);
  expect(generation()).toBe(before);
});
