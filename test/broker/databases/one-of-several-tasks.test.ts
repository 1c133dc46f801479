import { expect, test } from 'vitest';
import { settingsFor } from '../../support/broker.ts';
import { startBrokerProcess } from '../../support/broker-process.ts';
import { startTestDatabase } from '../../support/database/database.ts';
import { eventually, http } from '../../support/http.ts';

test('a task opens its share of what the server bears, and tells CloudWatch at its end', async () => {
  await using database = await startTestDatabase();
  const settings = settingsFor(database, {
    databases: { default: { pool: { size: 3 } } },
    maxServerConnections: 10,
  });
  const broker = await startBrokerProcess(settings, { BROKER_PEAK_TASKS: '3', BROKER_EMF: 'shop-prod' });
  const headers = { authorization: 'Bearer writer-key', 'content-type': 'application/json' };
  const body = JSON.stringify({ sql: 'SELECT SLEEP(0.2)' });
  let answered = 0;
  const calls = Array.from({ length: 12 }, async () => {
    const { status } = await http(`${broker.url}/v1/databases/default/query`, { headers, body });
    answered += 1;
    return status;
  });
  let most = 0;
  await eventually(
    async () => {
      const [row] = await database.admin.query(
        "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = 'app'",
      );
      most = Math.max(most, Number(row?.n));
      return answered;
    },
    (count) => count === calls.length,
  );

  expect(await Promise.all(calls)).toEqual(calls.map(() => 200));
  expect(most).toBe(3);
  broker.child.kill('SIGTERM');
  expect(await broker.exited).toBe(0);
  expect(broker.output()).toMatch(/^\{"_aws":.*"service":"shop-prod"/m);
  await broker.stop();
});
