import { afterAll, beforeAll, expect, test } from 'vitest';
import { settingsFor } from '../../support/broker.ts';
import { type BrokerProcess, startBrokerProcess } from '../../support/broker-process.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { eventually, type HttpReply, http } from '../../support/http.ts';

const INSERTS = 300;

let database: TestDatabase;
let victim: BrokerProcess;
let survivor: BrokerProcess;

beforeAll(async () => {
  database = await startTestDatabase();
  const settings = settingsFor(database, { databases: { default: { idempotency: {} } } });
  [victim, survivor] = await Promise.all([startBrokerProcess(settings), startBrokerProcess(settings)]);
  await database.admin.query('CREATE TABLE app.orders (id INT PRIMARY KEY AUTO_INCREMENT, note VARCHAR(20))');
});

afterAll(async () => {
  await Promise.all([victim.stop(), survivor.stop()]);
  await database.stop();
});

const insert = async ({ url }: BrokerProcess, order: number): Promise<HttpReply> =>
  await http(`${url}/v1/databases/default/query`, {
    headers: {
      authorization: 'Bearer writer-key',
      'content-type': 'application/json',
      'idempotency-key': `order-${order}`,
    },
    body: JSON.stringify({ sql: 'INSERT INTO orders (note) VALUES (?)', params: [String(order)] }),
  });

const notes = async (): Promise<string[]> =>
  (await database.admin.query('SELECT note FROM app.orders')).map(({ note }) => String(note)).sort();

test('of inserts whose broker was killed, each is there once after a repeat on another broker', async () => {
  await eventually(
    async () => (await insert(victim, 0)).status,
    (status) => status === 200,
  );
  const orders = Array.from({ length: INSERTS }, (_, index) => index);
  const sent = orders.map(async (order) => await insert(victim, order).catch(() => undefined));
  await eventually(notes, (found) => found.length > INSERTS / 10);
  victim.child.kill('SIGKILL');
  const answered = (await Promise.all(sent)).filter((reply) => reply !== undefined);
  expect(answered.length).toBeLessThan(INSERTS);

  const done = await notes();
  const repeats = await Promise.all(orders.map(async (order) => await insert(survivor, order)));
  expect(repeats.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([]);
  const replays = repeats.filter(({ headers }) => headers['idempotent-replay'] === 'true');
  expect(replays.length).toBeGreaterThanOrEqual(done.length);
  expect(await notes()).toEqual(orders.map(String).sort());
});
