import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/broker.ts';
import { startTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let broker: TestBroker;

beforeAll(async () => {
  database = await startTestDatabase();
  const pool = { size: 2, maxOverflow: 8 };
  broker = await startTestBroker(database, {
    databases: { default: { pool }, other: { pool } },
    maxServerConnections: 3,
  });
});

afterAll(async () => {
  await broker.stop();
  await database.stop();
});

test('two aliases on one server have three connections together, and both are served', async () => {
  const ask = async (alias: string) =>
    (await broker.post(`/v1/databases/${alias}/query`, { sql: 'SELECT SLEEP(0.05)' })).status;
  const asked = Promise.all(
    Array.from({ length: 40 }, async (_, index) => await ask(index % 2 ? 'default' : 'other')),
  );
  let most = 0;
  for (let look = 0; look < 100; look += 1) {
    const rows = await database.admin.query(
      "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = 'app'",
    );
    most = Math.max(most, Number(rows[0]?.n));
  }
  expect(new Set(await asked)).toEqual(new Set([200]));
  expect(most).toBe(3);
});
