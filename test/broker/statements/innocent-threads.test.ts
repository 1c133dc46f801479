import dns from 'node:dns';
import { type Connection, createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { startTestBroker, type TestBroker } from '../../support/broker.ts';
import { type OwnDatabase, startOwnDatabase } from '../../support/database/own-database.ts';
import { eventually } from '../../support/http.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { errorOf } from '../../support/transactions.ts';

const [one, other] = [await startOwnDatabase(), await startOwnDatabase()];
afterAll(async () => {
  await Promise.all([one.stop(), other.stop()]);
});

beforeAll(async () => {
  for (const { admin } of [one, other]) {
    await admin.query('CREATE TABLE app.marks (n INT)');
    await admin.createUser({ user: 'app2', password: 'app2-password', database: 'app' });
  }
});

const SLOW_WRITE = 'INSERT INTO marks SELECT SLEEP(60)';

async function connectTo({ server, app }: OwnDatabase): Promise<Connection> {
  const { user, password, database } = app;
  return await createConnection({ host: server.host, port: server.port, user, password, database });
}

/** Connections to a server, among them one with the thread id. The others are closed with the test. */
async function threadOn(database: OwnDatabase, id: number): Promise<Connection> {
  for (;;) {
    const connection = await connectTo(database);
    onTestFinished(() => connection.destroy());
    if (connection.threadId === id) return connection;
    if (connection.threadId > id) throw new Error(`thread ${id} is of the past`);
  }
}

/** Uses up numbers on a server, so that the next connection has one that another server has yet to give. */
async function pushThreadIds(database: OwnDatabase, beyond: OwnDatabase): Promise<void> {
  const last = await connectTo(beyond);
  last.destroy();
  for (;;) {
    const connection = await connectTo(database);
    const { threadId } = connection;
    await connection.end();
    if (threadId > last.threadId + 10) return;
  }
}

/** A statement that nobody stops ends by itself, with 0. */
async function sleepUnhurt(connection: Connection, seconds = 1.5): Promise<unknown> {
  const [rows] = await connection.query({ sql: `SELECT SLEEP(${seconds})`, rowsAsArray: true });
  return rows;
}

async function brokerAt(proxy: Pick<TcpProxy, 'port'>, databases: object = {}): Promise<TestBroker> {
  const pool = { size: 1 };
  const broker = await startTestBroker(one, {
    databases: { default: { port: proxy.port, pool, maxOverflow: 0 }, ...databases },
  });
  onTestFinished(broker.stop);
  return broker;
}

const threadIdOf = async (broker: TestBroker) =>
  Number((await broker.query('SELECT CONNECTION_ID()')).rows[0]?.[0]);

const isRunning = async ({ admin }: OwnDatabase) =>
  (await admin.query("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'INSERT INTO marks%'"))
    .length > 0;

/** In time for its caller or not: on a busy machine the verdict may come after the reply. */
async function untilStopped(): Promise<void> {
  await eventually(
    async () => await isRunning(one),
    (running) => !running,
  );
}

async function stopSlowWrite(broker: TestBroker): Promise<readonly [number, unknown]> {
  return errorOf(await broker.post('/v1/databases/default/query', { sql: SLOW_WRITE, timeoutMs: 300 }));
}

const UNPROVEN = [504, expect.objectContaining({ code: 'DEADLINE_EXCEEDED', outcome: 'unknown' })];

/** What the test began is over, so that the next finds the servers as they were. */
beforeEach(async () => {
  onTestFinished(async () => {
    for (const database of [one, other]) {
      const rows = await database.admin.query(
        "SELECT id FROM information_schema.processlist WHERE info LIKE 'INSERT INTO marks%'",
      );
      for (const { id } of rows) await database.admin.query(`KILL ${id}`);
      await eventually(
        async () => await isRunning(database),
        (running) => !running,
      );
    }
  });
});

test('behind a load balancer that leads elsewhere, the thread of the same number on the other server goes on', async () => {
  let target = one;
  await using balancer = await startTcpProxy({ portOfNext: () => target.server.port });
  await pushThreadIds(one, other);
  const broker = await brokerAt(balancer);
  const innocent = await threadOn(other, await threadIdOf(broker));
  target = other;

  const [reply, unhurt] = await Promise.all([stopSlowWrite(broker), sleepUnhurt(innocent)]);

  expect(reply).toEqual(UNPROVEN);
  expect(unhurt).toEqual([[0]]);
  // What ran goes on: only its connection was cut off.
  expect(await isRunning(one)).toBe(true);
});

test('behind a load balancer whose next login is on the right server, the statement is stopped', async () => {
  const targets = [one, other, one];
  let logins = 0;
  await using balancer = await startTcpProxy({
    portOfNext: () => (targets[logins++] ?? other).server.port,
  });
  await pushThreadIds(one, other);
  const broker = await brokerAt(balancer);
  const before = await threadIdOf(broker);
  const innocent = await threadOn(other, before);

  const [[status], unhurt] = await Promise.all([stopSlowWrite(broker), sleepUnhurt(innocent)]);

  expect(status).toBe(504);
  expect(unhurt).toEqual([[0]]);
  await untilStopped();
  expect(logins).toBeGreaterThanOrEqual(3);
});

/** The greeting's thread id, four bytes behind the version, as a proxy with numbers of its own would tell it. */
function withThreadId(chunk: Buffer, id: number): Buffer {
  const isGreeting = chunk[3] === 0 && chunk[4] === 10;
  if (!isGreeting) return chunk;
  const changed = Buffer.from(chunk);
  changed.writeUInt32LE(id, chunk.indexOf(0, 5) + 1);
  return changed;
}

test.each([
  ['of every login', Number.POSITIVE_INFINITY],
  ['of the first login only', 1],
])('behind a proxy that has thread ids of its own, %s, nobody is killed', async (_, most) => {
  const innocent = await connectTo(one);
  onTestFinished(() => innocent.destroy());
  let logins = 0;
  await using proxy = await startTcpProxy({
    portOfNext: () => {
      logins += 1;
      return one.server.port;
    },
    change: (chunk) => (logins > most ? chunk : withThreadId(chunk, innocent.threadId)),
  });
  const broker = await brokerAt(proxy);
  expect(await threadIdOf(broker)).not.toBe(innocent.threadId);

  const [reply, unhurt] = await Promise.all([stopSlowWrite(broker), sleepUnhurt(innocent)]);

  expect(reply).toEqual(UNPROVEN);
  expect(unhurt).toEqual([[0]]);
  expect((await broker.query('SELECT 1')).rows).toHaveLength(1);
});

test('a server that was started again gives its numbers to others, who are not killed', async () => {
  let hidesLoss = false;
  await using proxy = await startTcpProxy({
    portOfNext: () => one.server.port,
    hidesLoss: () => hidesLoss,
  });
  await one.admin.close();
  await one.server.restart();
  // Numbers for those who log in before the victim's turn comes again.
  for (let spare = 0; spare < 20; spare += 1) await (await connectTo(one)).end();
  const broker = await brokerAt(proxy);
  const victim = await threadIdOf(broker);
  const stopped = stopSlowWriteLater(broker);
  await eventually(
    async () => await isRunning(one),
    (running) => running,
  );
  hidesLoss = true;
  await one.admin.close();
  await one.server.kill();
  await one.server.start();
  const innocent = await threadOn(one, victim);

  const [reply, unhurt] = await Promise.all([stopped, sleepUnhurt(innocent, LATER_MS / 1_000 + 1)]);

  expect(reply).toEqual(UNPROVEN);
  expect(unhurt).toEqual([[0]]);
});

/** By then the server has been away and is back. */
const LATER_MS = 8_000;

async function stopSlowWriteLater(broker: TestBroker): Promise<readonly [number, unknown]> {
  return errorOf(await broker.post('/v1/databases/default/query', { sql: SLOW_WRITE, timeoutMs: LATER_MS }));
}

test('behind a name that has come to mean another server, the statement is stopped on its own', async () => {
  await using _elsewhere = await startTcpProxy({
    at: { host: '127.0.0.2', port: one.server.port },
    portOfNext: () => other.server.port,
  });
  const broker = await brokerAt(
    { port: one.server.port },
    { default: { host: 'localhost', port: one.server.port } },
  );
  await threadIdOf(broker);
  const lookup = vi.spyOn(dns, 'lookup').mockImplementation((...parameters: unknown[]) => {
    const done = parameters.at(-1);
    if (typeof done === 'function') done(null, [{ address: '127.0.0.2', family: 4 }], 4);
  });
  onTestFinished(() => lookup.mockRestore());

  const [status] = await stopSlowWrite(broker);

  expect(status).toBe(504);
  await untilStopped();
});

test('statements of two accounts on one server are stopped at the same time, each with its own rights', async () => {
  const credentials = { username: 'app2', password: 'app2-password' };
  const broker = await brokerAt(
    { port: one.server.port },
    { second: { credentials, pool: { size: 1 }, maxOverflow: 0 } },
  );
  const aliases = ['default', 'second'];

  const replies = await Promise.all(
    aliases.map(async (alias) =>
      errorOf(await broker.post(`/v1/databases/${alias}/query`, { sql: SLOW_WRITE, timeoutMs: 300 })),
    ),
  );

  expect(replies.map(([status]) => status)).toEqual([504, 504]);
  await untilStopped();
});
