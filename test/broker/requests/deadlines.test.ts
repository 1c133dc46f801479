import { beforeAll, describe, expect, test } from 'vitest';
import { eventually, type HttpReply, http } from '../../support/http.ts';
import { untilNoneRuns, untilRunning } from '../../support/running-statements.ts';
import { useBroker } from '../../support/use-broker.ts';

const { database, broker } = await useBroker({
  databases: { one: { pool: { size: 1, maxOverflow: 0, checkoutTimeoutMs: 300 } } },
});

beforeAll(async () => {
  await database.admin.query('CREATE TABLE app.counted (n INT)');
  await database.admin.query('INSERT INTO app.counted VALUES (0)');
});

async function query(
  sql: string,
  timeoutMs: number,
  alias = 'default',
  signal?: AbortSignal,
): Promise<HttpReply> {
  return await http(broker.queryUrl(alias), {
    headers: { ...broker.headers(), 'x-timeout-ms': String(timeoutMs) },
    body: JSON.stringify({ sql }),
    ...(signal === undefined ? {} : { signal }),
  });
}

describe('a statement whose deadline passes', () => {
  test('is gone from the server, and its caller has a 504 that knows the outcome', async () => {
    const reply = await query('UPDATE counted SET n = n + 1 + SLEEP(60)', 200);
    expect([reply.status, reply.json()]).toEqual([
      504,
      {
        error: expect.objectContaining({
          code: 'DEADLINE_EXCEEDED',
          outcome: 'not_applied',
          retryable: true,
        }),
      },
    ]);
    // Long before it would have ended by itself.
    await untilNoneRuns(database);
    expect(await database.admin.query('SELECT n FROM app.counted')).toEqual([{ n: 0 }]);
  });

  test('leaves its connection to others as it was', async () => {
    await query('SELECT SLEEP(60)', 100, 'one');
    expect((await query('SELECT 1', 5_000, 'one')).status).toBe(200);
  });

  test('while it is in line is a 504 that nothing was done for', async () => {
    const busy = query('SELECT SLEEP(0.4)', 5_000, 'one');
    await untilRunning(database);
    const reply = await query('SELECT 1', 100, 'one');
    expect([reply.status, reply.json()]).toEqual([
      504,
      { error: expect.objectContaining({ code: 'DEADLINE_EXCEEDED', outcome: 'not_applied' }) },
    ]);
    await busy;
  });
});

test('a caller who waits longer than the pool allows has a 503 that says why', async () => {
  const busy = query('SELECT SLEEP(1)', 5_000, 'one');
  await untilRunning(database);
  const reply = await query('SELECT 1', 5_000, 'one');
  expect([reply.status, reply.headers['retry-after']]).toEqual([503, '1']);
  expect(reply.json()).toMatchObject({
    error: { code: 'POOL_TIMEOUT', retryable: true, message: expect.stringMatching(/size 1 and overflow 0/) },
  });
  await busy;
});

test('a caller who hangs up stops the statement', async () => {
  const controller = new AbortController();
  const asked = query('SELECT SLEEP(60)', 30_000, 'default', controller.signal);
  await untilRunning(database);
  controller.abort();
  await expect(asked).rejects.toThrow();
  await untilNoneRuns(database);
  const line = await eventually(
    async () => broker.logs.find((one) => one.includes('CALLER_GONE')),
    (found) => found !== undefined,
  );
  expect(JSON.parse(line ?? '{}')).toMatchObject({ status: 499, caller: 'writer' });
});
