import { expect, test } from 'vitest';
import { http } from '../../support/http.ts';
import { useBroker } from '../../support/use-broker.ts';

const { broker } = await useBroker({
  server: { accessLog: 'all' },
  databases: { narrow: { pool: { size: 1, maxOverflow: 0, checkoutTimeoutMs: 300 } } },
});

type Counts = Readonly<Record<string, number>>;

/** How many of a histogram have each outcome. */
async function countsOf(metric: string, alias: string): Promise<Counts> {
  const { text } = await http(`${broker.url}/metrics`);
  const lines = text.matchAll(
    new RegExp(`^${metric}_count\\{database="${alias}",outcome="(\\w+)"\\} (\\d+)$`, 'gm'),
  );
  return Object.fromEntries([...lines].map(([, outcome, count]) => [outcome, Number(count)]));
}

/** What `work` adds to a histogram. */
async function added(metric: string, work: () => Promise<unknown>, alias = 'default'): Promise<Counts> {
  const before = await countsOf(metric, alias);
  await work();
  const after = Object.entries(await countsOf(metric, alias));
  return Object.fromEntries(
    after
      .map(([outcome, count]): [string, number] => [outcome, count - (before[outcome] ?? 0)])
      .filter(([, count]) => count > 0),
  );
}

const STATEMENTS = 'broker_query_duration_seconds';
const WAITS = 'broker_checkout_wait_seconds';
const SLOW = { sql: 'SELECT SLEEP(10)', timeoutMs: 300 };

const lastLine = () => {
  const line = broker.logs.findLast((one) => one.includes('"msg":"request"') && !one.includes('/metrics'));
  return JSON.parse(line ?? '{}') as Record<string, unknown>;
};
const atLeast = (ms: number) => expect.toSatisfy((seen: unknown) => typeof seen === 'number' && seen >= ms);

const begin = async () => {
  const reply = await broker.post('/v1/databases/default/transactions', {});
  return (reply.json() as { transactionId: string }).transactionId;
};

test('a statement that is stopped at its deadline counts with the time that it took', async () => {
  const ask = async () => await broker.post('/v1/databases/default/query', SLOW);
  expect(await added(STATEMENTS, ask)).toEqual({ timed_out: 1 });
  expect(lastLine()).toMatchObject({ code: 'DEADLINE_EXCEEDED', durationMs: atLeast(200) });
});

test('so does one in a transaction, and one of a stream', async () => {
  const id = await begin();
  const ask = async () => await broker.post(`/v1/transactions/${id}/query`, SLOW);
  expect(await added(STATEMENTS, ask)).toEqual({ timed_out: 1 });
  expect(lastLine()).toMatchObject({ code: 'DEADLINE_EXCEEDED', durationMs: atLeast(200) });
  const headers = { ...broker.headers(), accept: 'application/x-ndjson' };
  const stream = async () => await http(broker.queryUrl(), { headers, body: JSON.stringify(SLOW) });
  expect(await added(STATEMENTS, stream)).toEqual({ timed_out: 1 });
  expect(lastLine()).toMatchObject({ code: 'DEADLINE_EXCEEDED', durationMs: atLeast(200) });
});

test('one that the server refuses counts as failed, wherever it stands', async () => {
  const wrong = { sql: 'SELECT * FROM missing' };
  const good = { sql: 'SELECT 1' };
  const query = async () => await broker.post('/v1/databases/default/query', wrong);
  expect(await added(STATEMENTS, query)).toEqual({ failed: 1 });
  expect(lastLine()).toMatchObject({ code: 'SQL_ERROR', errno: 1146, durationMs: atLeast(0.001) });

  const whole = async () =>
    await broker.post('/v1/databases/default/transaction', { statements: [good, wrong, good] });
  expect(await added(STATEMENTS, whole)).toEqual({ ok: 1, failed: 1 });
  expect(lastLine()).toMatchObject({ code: 'SQL_ERROR', durationMs: atLeast(0.001) });

  const batch = async () =>
    await broker.post('/v1/databases/default/batch', {
      sql: 'DELETE FROM missing WHERE id = ?',
      paramSets: [[1], [2]],
    });
  expect(await added(STATEMENTS, batch)).toEqual({ failed: 1 });
});

test('a caller that hangs up counts as canceled', async () => {
  const hangUp = async () => {
    const signal = AbortSignal.timeout(300);
    await http(broker.queryUrl(), {
      headers: broker.headers(),
      body: JSON.stringify({ sql: 'SELECT SLEEP(10)' }),
      signal,
    }).catch(() => undefined);
    await expect
      .poll(async () => (await countsOf(STATEMENTS, 'default')).canceled ?? 0, { timeout: 10_000 })
      .toBeGreaterThan(0);
  };
  expect(await added(STATEMENTS, hangUp)).toEqual({ canceled: 1 });
  expect(lastLine()).toMatchObject({ status: 499, durationMs: atLeast(100) });
});

test('a call that waits in vain counts among the waits, and its line says for how long', async () => {
  const { pool } = broker.broker.pools.get('narrow');
  const held = await pool.checkout();
  try {
    const narrow = (body: object) => async () => await broker.post('/v1/databases/narrow/query', body);
    expect(await added(WAITS, narrow({ sql: 'SELECT 1' }), 'narrow')).toEqual({ timed_out: 1 });
    expect(lastLine()).toMatchObject({ code: 'POOL_TIMEOUT', queueMs: atLeast(250), durationMs: 0 });
    expect(await added(WAITS, narrow({ sql: 'SELECT 1', timeoutMs: 100 }), 'narrow')).toEqual({
      timed_out: 1,
    });
    expect(lastLine()).toMatchObject({ code: 'DEADLINE_EXCEEDED', queueMs: atLeast(80), durationMs: 0 });
  } finally {
    held.checkin();
  }
  const inVain = broker.logs.filter((line) => line.includes('calls time out waiting'));
  // Where the first login took too long, that of the broker's own start was told before.
  expect(inVain.map((line) => JSON.parse(line) as object)).toEqual([
    expect.objectContaining({ level: 40, database: 'narrow', calls: 1, size: 1, paused: false }),
  ]);
});

test('each line of a call says how long it waited and ran, also where it did neither', async () => {
  await broker.query('SELECT 1');
  await broker.post('/v1/databases/default/query', { sql: '' });
  await broker.post('/v1/databases/nowhere/query', { sql: 'SELECT 1' });
  await http(`${broker.url}/v1/databases`);
  const id = await begin();
  await broker.post(`/v1/transactions/${id}/commit`, {});
  const lines = broker.logs.filter((line) => line.includes('"msg":"request"')).slice(-6);
  for (const line of lines) {
    expect(JSON.parse(line)).toMatchObject({ queueMs: expect.any(Number), durationMs: expect.any(Number) });
  }
  expect(lastLine()).toMatchObject({ status: 200, durationMs: atLeast(0.001) });
});
