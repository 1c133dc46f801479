import { expect, onTestFinished, test } from 'vitest';
import { startTestBroker, type TestBroker } from '../../support/broker.ts';
import { type OwnDatabase, startOwnDatabase } from '../../support/database/own-database.ts';
import { eventually, http } from '../../support/http.ts';

/** What an operator sees of a database that answered until now: the page's last table. */
async function brokerOfItsOwn(pool: object = {}): Promise<{ database: OwnDatabase; broker: TestBroker }> {
  const database = await startOwnDatabase();
  onTestFinished(database.stop);
  const broker = await startTestBroker(database, { databases: { default: { pool } } });
  onTestFinished(broker.stop);
  return { database, broker };
}

type Line = Readonly<Record<string, unknown>>;

const linesOf = ({ logs }: TestBroker, msg: string): Line[] =>
  logs.map((line) => JSON.parse(line) as Line).filter((line) => line.msg === msg);

const stateOf = async ({ url, keys }: TestBroker) => {
  const reply = await http(`${url}/v1/databases/default`, {
    headers: { authorization: `Bearer ${keys.admin}` },
  });
  return reply.json() as { state: string; lastFailure: Line | null };
};

const ask = async (broker: TestBroker, sql = 'SELECT 1') =>
  await broker.post('/v1/databases/default/query', { sql });

test('a server that goes away under load is told once with its cause, and once more when it is back', async () => {
  const { database, broker } = await brokerOfItsOwn();
  let isLoaded = true;
  const load = Array.from({ length: 4 }, async () => {
    while (isLoaded) {
      await ask(broker);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  await eventually(
    async () => await stateOf(broker),
    ({ state }) => state === 'up',
  );

  await database.server.kill();
  // A server on its way down may hang up on a login before nothing listens any more.
  const { state, lastFailure } = await eventually(
    async () => await stateOf(broker),
    (seen) => seen.lastFailure?.cause === 'connection_refused',
  );
  expect([state, lastFailure?.code]).toEqual(['down', 'DATABASE_UNREACHABLE']);
  const failing = await eventually(
    async () => linesOf(broker, 'request').filter(({ cause }) => cause === 'connection_refused'),
    (found) => found.length >= 10,
  );
  expect(failing[0]).toMatchObject({ level: 50, status: 502 });

  await database.server.start();
  const [ended] = await eventually(
    async () => linesOf(broker, 'a database can be logged in to again'),
    (found) => found.length > 0,
    20_000,
  );
  isLoaded = false;
  await Promise.all(load);
  expect(Number(ended?.failedCalls)).toBeGreaterThanOrEqual(10);
  expect(await stateOf(broker)).toMatchObject({ state: 'up', lastFailure: null });
  const began = linesOf(broker, 'a database cannot be logged in to');
  // No cause is told twice.
  expect(new Set(began.map(({ cause }) => cause)).size).toBe(began.length);
  expect(linesOf(broker, 'a database can be logged in to again')).toHaveLength(1);
}, 60_000);

test('a failover that makes the server read-only is told once, whatever it refuses', async () => {
  // One connection: another one, opened behind the failover, would find nothing changed.
  const { database, broker } = await brokerOfItsOwn({ size: 1, maxOverflow: 0 });
  await database.admin.query('CREATE TABLE app.notes (n INT)');
  const write = async () => (await ask(broker, 'INSERT INTO notes VALUES (1)')).status;
  expect(await write()).toBe(200);
  await database.admin.query('SET GLOBAL read_only = 1');
  expect(await write()).toBe(503);
  expect(await write()).toBe(503);
  const replaced = await eventually(
    async () => linesOf(broker, 'the connections to a database are replaced'),
    (lines) => lines.length > 0,
  );
  expect(await write()).toBe(503);
  expect(replaced).toEqual([
    expect.objectContaining({ level: 40, database: 'default', reason: 'role_change' }),
  ]);
  expect(linesOf(broker, 'request').at(-1)).toMatchObject({
    level: 50,
    code: 'DATABASE_READ_ONLY',
    errno: expect.any(Number),
  });
  await database.admin.query('SET GLOBAL read_only = 0');
}, 60_000);

test('a pool that somebody forgot to resume says so of the calls that wait in vain', async () => {
  const { broker } = await brokerOfItsOwn({ checkoutTimeoutMs: 300 });
  expect((await ask(broker)).status).toBe(200);
  await broker.post('/v1/databases/default/pause', {}, broker.keys.admin);
  expect((await ask(broker)).status).toBe(503);
  expect(linesOf(broker, 'calls time out waiting for a connection')).toEqual([
    expect.objectContaining({ level: 40, database: 'default', calls: 1, paused: true, checkedOut: 0 }),
  ]);
  expect(linesOf(broker, 'audit')).toContainEqual(
    expect.objectContaining({ audit: 'admin', action: 'POST /v1/databases/default/pause' }),
  );
  await broker.post('/v1/databases/default/resume', {}, broker.keys.admin);
  expect((await ask(broker)).status).toBe(200);
}, 60_000);
