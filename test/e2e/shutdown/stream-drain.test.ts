import { afterAll, beforeAll, expect, test } from 'vitest';
import { settingsFor } from '../../support/broker.ts';
import { type BrokerProcess, startBrokerProcess } from '../../support/broker-process.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { createNumbers } from '../../support/numbers.ts';
import { openStream, rowsOf } from '../../support/stream.ts';

let database: TestDatabase;
let broker: BrokerProcess;

beforeAll(async () => {
  database = await startTestDatabase();
  await createNumbers(database);
  const databases = { default: { limits: { queryTimeoutMs: 3_000 } } };
  broker = await startBrokerProcess(settingsFor(database, { server: { drainTimeoutMs: 6_000 }, databases }));
});

afterAll(async () => {
  await broker.stop();
  await database.stop();
});

/** 20 KB a row, so that the server sends each at once. */
const rows = async (count: number) =>
  await openStream(
    `${broker.url}/v1/databases/default/query`,
    { authorization: 'Bearer writer-key', 'content-type': 'application/json' },
    { sql: `SELECT seq, SLEEP(0.02), REPEAT('x', 20000) FROM numbers LIMIT ${count}` },
  );

test('a broker that is told to stop finishes the streams that it can, and says of the others that it goes', async () => {
  const short = await rows(100);
  const long = await rows(10_000);
  await Promise.all([short.next(), long.next()]);
  broker.child.kill('SIGTERM');
  const [finished, cutOff] = await Promise.all([short.rest(), long.rest()]);
  expect([rowsOf(finished).length, finished.at(-1)]).toMatchObject([100, { end: { rowCount: 100 } }]);
  expect(cutOff.at(-1)).toMatchObject({
    error: { code: 'DRAINING', outcome: 'not_applied', retryable: true },
  });
  expect(await broker.exited).toBe(0);
});
