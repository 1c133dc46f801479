import { afterAll, beforeAll, expect, test } from 'vitest';
import { settingsFor } from '../../support/broker.ts';
import { type BrokerProcess, startBrokerProcess } from '../../support/broker-process.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { eventually, type HttpReply, http } from '../../support/http.ts';

let database: TestDatabase;
let broker: BrokerProcess;

beforeAll(async () => {
  database = await startTestDatabase();
  broker = await startBrokerProcess(settingsFor(database, { server: { drainDelayMs: 500 } }));
});

afterAll(async () => {
  await broker.stop();
  await database.stop();
});

const ask = async (sql: string, requestId = 'x'): Promise<HttpReply> =>
  await http(`${broker.url}/v1/databases/default/query`, {
    headers: {
      authorization: 'Bearer writer-key',
      'content-type': 'application/json',
      'x-request-id': requestId,
    },
    body: JSON.stringify({ sql }),
  });

test('SIGTERM under load drops no accepted request, ends with code 0 and leaves no connection', async () => {
  await eventually(
    async () => (await http(`${broker.url}/readyz`)).status,
    (status) => status === 200,
  );
  const slow = Array.from({ length: 30 }, async () => await ask('SELECT SLEEP(1)'));
  const replies: number[] = [];
  const unanswered: string[] = [];
  const load = Array.from({ length: 8 }, async (_, client) => {
    for (let turn = 0; ; turn += 1) {
      const requestId = `load-${client}-${turn}`;
      try {
        replies.push((await ask('SELECT 1', requestId)).status);
      } catch (error) {
        unanswered.push(requestId);
        if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') return;
      }
    }
  });
  await eventually(
    async () => replies.length,
    (count) => count > 20,
  );

  broker.child.kill('SIGTERM');
  await eventually(
    async () => (await http(`${broker.url}/readyz`)).status,
    (status) => status === 503,
  );
  const answeredBefore = replies.length;
  expect((await ask('SELECT 1')).status).toBe(200);

  expect(await broker.exited).toBe(0);
  await Promise.all(load);
  expect((await Promise.all(slow)).map(({ status }) => status)).toEqual(slow.map(() => 200));
  // Those that the broker never saw: whoever asks at the very end is refused by the system, not by the broker.
  for (const requestId of unanswered) expect(broker.output()).not.toContain(`"${requestId}"`);
  expect(replies.length).toBeGreaterThan(answeredBefore);
  expect([...new Set(replies)].sort()).toEqual([200, 503]);
  expect(
    await database.admin.query("SELECT id FROM information_schema.processlist WHERE user = 'app'"),
  ).toEqual([]);
});
