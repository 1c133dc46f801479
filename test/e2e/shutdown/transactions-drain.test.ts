import { expect, test } from 'vitest';
import { settingsFor } from '../../support/broker.ts';
import { startBrokerProcess } from '../../support/broker-process.ts';
import { startTestDatabase } from '../../support/database/database.ts';
import { eventually } from '../../support/http.ts';
import { errorOf, transactionCalls } from '../../support/transactions.ts';

test('a broker that is told to end serves open transactions on, and rolls back those that last', async () => {
  await using database = await startTestDatabase();
  await database.admin.query('CREATE TABLE app.counted (id INT PRIMARY KEY, n INT)');
  await database.admin.query('INSERT INTO app.counted VALUES (1, 0), (2, 0)');
  const broker = await startBrokerProcess(
    settingsFor(database, {
      databases: { default: { limits: { queryTimeoutMs: 4_500 } } },
      server: { drainDelayMs: 0, drainTimeoutMs: 5_000 },
    }),
  );
  const { begin, query, call } = transactionCalls(broker.url, 'writer-key');
  const [committed, lasting] = [await begin(), await begin()];

  broker.child.kill('SIGTERM');
  await eventually(
    async () => (await query(committed, 'UPDATE counted SET n = n + 1 WHERE id = 1')).status,
    () => broker.output().includes('shutting down'),
  );
  expect((await query(committed, 'UPDATE counted SET n = 7 WHERE id = 1')).status).toBe(200);
  expect((await query(lasting, 'UPDATE counted SET n = 7 WHERE id = 2')).status).toBe(200);
  expect((await call(committed, 'commit')).status).toBe(200);
  expect(errorOf(await query(lasting, 'SELECT SLEEP(4)'))).toMatchObject([
    410,
    { reason: 'draining', transaction: 'ended' },
  ]);

  expect(await broker.exited).toBe(0);
  await broker.stop();
  const rows = await database.admin.query('SELECT n FROM app.counted ORDER BY id');
  expect(rows.map(({ n }) => n)).toEqual([7, 0]);
});
