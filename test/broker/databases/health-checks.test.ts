import { afterAll, expect, onTestFinished, test } from 'vitest';
import { startTestBroker, type TestBroker } from '../../support/broker.ts';
import { startOwnDatabase } from '../../support/database/own-database.ts';
import { eventually, http } from '../../support/http.ts';

const CHECKED_OFTEN = { healthCheckIntervalMs: 100 };

const database = await startOwnDatabase();
afterAll(database.stop);

/** Until the test is over. */
async function killServer(): Promise<void> {
  await database.server.kill();
  onTestFinished(async () => await database.server.start());
}

async function brokerWith(pool: object): Promise<TestBroker> {
  const broker = await startTestBroker(database, { databases: { default: { pool } } });
  onTestFinished(broker.stop);
  await untilState(broker, 'up');
  return broker;
}

async function untilState(broker: TestBroker, state: string): Promise<number> {
  const { status } = await eventually(
    async () => await http(`${broker.url}/readyz`),
    ({ text }) => text.includes(`"default":"${state}"`),
    20_000,
  );
  return status;
}

const told = (broker: TestBroker, msg: string) =>
  broker.logs.filter((line) => line.includes(`"msg":"${msg}"`));

test('a database that nobody asks is told to be down when it has gone, and to be up when it is back', async () => {
  const broker = await brokerWith(CHECKED_OFTEN);

  await database.server.kill();
  expect(await untilState(broker, 'down')).toBe(503);
  expect(told(broker, 'a database cannot be logged in to')).toHaveLength(1);

  await database.server.start();
  expect(await untilState(broker, 'up')).toBe(200);
  const [ended, ...more] = told(broker, 'a database can be logged in to again');
  expect(more).toEqual([]);
  expect(JSON.parse(ended ?? '{}')).toMatchObject({
    level: 40,
    database: 'default',
    since: expect.any(String),
  });
}, 60_000);

test('so is one whose connections are all closed already', async () => {
  const broker = await brokerWith({ ...CHECKED_OFTEN, idleTimeoutMs: 100 });
  await eventually(
    async () => broker.broker.pools.get('default').pool.stats().idle,
    (idle) => idle === 0,
  );

  await killServer();

  expect(await untilState(broker, 'down')).toBe(503);
}, 60_000);

test('so is one that stops answering and leaves the connections open', async () => {
  const broker = await brokerWith({ ...CHECKED_OFTEN, checkoutTimeoutMs: 500 });
  const { pid } = database.server;
  process.kill(pid ?? 0, 'SIGSTOP');
  try {
    expect(await untilState(broker, 'down')).toBe(503);
  } finally {
    process.kill(pid ?? 0, 'SIGCONT');
  }
  await untilState(broker, 'up');
}, 60_000);

test('a check of a pool that nobody uses leaves nothing open', async () => {
  const broker = await brokerWith({ ...CHECKED_OFTEN, idleTimeoutMs: 100 });
  const { pool } = broker.broker.pools.get('default');
  let logins = 0;
  let mostIdle = 0;
  await eventually(
    async () => pool.stats().connections,
    (connections) => connections === 0,
  );
  pool.events.on('connect', () => {
    logins += 1;
  });
  await eventually(
    async () => {
      mostIdle = Math.max(mostIdle, pool.stats().idle);
      return logins;
    },
    (seen) => seen >= 5,
  );
  expect(mostIdle).toBe(0);
}, 30_000);

test('a check takes no connection while callers are in line, and keeps no idle one from its end', async () => {
  const broker = await brokerWith({ size: 1, maxOverflow: 0, idleTimeoutMs: 400 });
  const { pool } = broker.broker.pools.get('default');
  const held = await pool.checkout();
  const waiting = pool.checkout();
  for (let check = 0; check < 10; check += 1) pool.probe();
  expect(pool.stats()).toMatchObject({ connections: 1, opening: 0, waiting: 1 });
  held.checkin();
  (await waiting).checkin();

  const prober = setInterval(() => pool.probe(), 50);
  onTestFinished(() => clearInterval(prober));
  const closed = await new Promise<string>((resolve) => {
    pool.events.on('close', ({ reason }) => resolve(reason));
  });
  expect(closed).toBe('idle');
}, 30_000);

test('no check is made where the settings say so', async () => {
  const broker = await brokerWith({ healthCheckIntervalMs: 0, idleTimeoutMs: 100 });
  const { pool } = broker.broker.pools.get('default');
  await eventually(
    async () => pool.stats().connections,
    (connections) => connections === 0,
  );
  let logins = 0;
  pool.events.on('connect', () => {
    logins += 1;
  });
  await killServer();
  // Longer than any check of the other tests takes.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect([logins, broker.broker.pools.get('default').state]).toEqual([0, 'up']);
}, 30_000);
