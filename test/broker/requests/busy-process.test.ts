import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { startTestBroker, type TestBrokerOptions } from '../../support/broker.ts';
import { startTestDatabase } from '../../support/database/database.ts';
import { eventually } from '../../support/http.ts';

const database = await startTestDatabase();
afterAll(database.stop);

const BUSY_MS = 2_500;
const QUERY = '/v1/databases/default/query';

/** Nothing else runs meanwhile. */
function keepBusy(durationMs: number): void {
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs);
}

async function serving(options: object): Promise<Awaited<ReturnType<typeof startTestBroker>>> {
  const broker = await startTestBroker(database, { databases: { default: options } } as TestBrokerOptions);
  await eventually(
    async () => broker.broker.pools.get('default').pool.stats(),
    ({ idle }) => idle === 1,
  );
  return broker;
}

test('a call in line is served by the connection that came free while the process was busy', async () => {
  const broker = await serving({ pool: { size: 1, maxOverflow: 0, checkoutTimeoutMs: 1_000 } });
  const { pool } = broker.broker.pools.get('default');
  const calls = [1, 2].map(async () => await broker.post(QUERY, { sql: 'SELECT SLEEP(0.5)' }));
  await eventually(
    async () => pool.stats(),
    ({ waiting }) => waiting === 1,
  );
  keepBusy(BUSY_MS);
  const statuses = (await Promise.all(calls)).map(({ status, text }) => (status === 200 ? 200 : text));
  expect(statuses).toEqual([200, 200]);
  await broker.stop();
});

test('a statement that was answered while the process was busy keeps its answer', async () => {
  const broker = await serving({});
  const asked = broker.post(QUERY, { sql: 'SELECT SLEEP(0.3)', timeoutMs: 1_000 });
  await delay(150);
  keepBusy(BUSY_MS);
  const { status, text } = await asked;
  expect(status === 200 ? 200 : text).toBe(200);
  await broker.stop();
});

test('a login, a ping and a reset that were answered meanwhile are no failures', async () => {
  const broker = await startTestBroker(database, {
    databases: {
      default: { pool: { size: 2, maxOverflow: 0, checkoutTimeoutMs: 1_000, prePingAfterIdleMs: 0 } },
    },
  });
  const { pool } = broker.broker.pools.get('default');
  const failed: unknown[] = [];
  pool.events.on('connect_failed', ({ error }) => failed.push(error));
  const reasons: string[] = [];
  pool.events.on('close', ({ reason }) => reasons.push(reason));
  for (let round = 0; round < 2; round += 1) {
    const calls = [1, 2].map(async () => await broker.post(QUERY, { sql: 'SELECT @a := 1' }));
    await delay(5);
    keepBusy(BUSY_MS);
    const told = (await Promise.all(calls)).map(({ status, text }) => (status === 200 ? 200 : text));
    expect(told.filter((one) => String(one).includes('POOL_TIMEOUT'))).toEqual([]);
  }
  expect([failed, reasons]).toEqual([[], []]);
  await broker.stop();
});

test('a transaction whose next statement came while the process was busy is not idle', async () => {
  const broker = await serving({ transactions: { idleTimeoutMs: 1_000 } });
  const begun = await broker.post('/v1/databases/default/transactions', {});
  const { transactionId } = begun.json() as { transactionId: string };
  const asked = broker.post(`/v1/transactions/${transactionId}/query`, { sql: 'SELECT 1' });
  setImmediate(() => keepBusy(BUSY_MS));
  const { status, text } = await asked;
  expect(status === 200 ? 200 : text).toBe(200);
  await broker.stop();
});
