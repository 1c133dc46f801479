import { afterAll, expect, test } from 'vitest';
import { startTestBroker } from '../../support/broker.ts';
import { startTestDatabase } from '../../support/database/database.ts';
import { eventually } from '../../support/http.ts';
import { startSlowProxy } from '../../support/slow-proxy.ts';

/** A login takes several of its round trips, a quick statement one. */
const MOST_MS_EACH_WAY = 20;

const database = await startTestDatabase();
afterAll(database.stop);
const far = await startSlowProxy(database.server.port, MOST_MS_EACH_WAY);
afterAll(far.close);
const broker = await startTestBroker(database, { databases: { far: { host: '127.0.0.1', port: far.port } } });
afterAll(broker.stop);

const { pool } = broker.broker.pools.get('far');
let opened = 0;
pool.events.on('connect', () => {
  opened += 1;
});

/** So many calls at once, on the default pool of 10 + 10. */
async function burst(calls: number, sql: string): Promise<void> {
  const ask = async () => await broker.post('/v1/databases/far/query', { sql });
  const replies = await Promise.all(Array.from({ length: calls }, ask));
  expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
}

test('a burst of quick reads opens no overflow, one of slow statements all of it', async () => {
  await eventually(
    async () => {
      await burst(10, 'SELECT SLEEP(0.3)');
      return pool.stats().connections;
    },
    (connections) => connections >= 10,
    30_000,
  );
  for (let round = 0; round < 8; round += 1) await burst(10, 'SELECT 1');

  opened = 0;
  await burst(20, 'SELECT 1');
  // A pause of this process looks like a wait.
  expect(opened).toBeLessThanOrEqual(2);

  const slow = burst(20, 'SELECT SLEEP(2)');
  await eventually(
    async () => pool.stats().connections,
    (connections) => connections === 20,
  );
  await slow;
}, 60_000);
