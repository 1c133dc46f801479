import { afterAll, expect, test } from 'vitest';
import { startTestDatabase } from '../../support/database/database.ts';
import { eventually } from '../../support/http.ts';
import { SECRET_ID, startRotatingBroker } from '../../support/rotation/rotating-broker.ts';

const database = await startTestDatabase();
afterAll(database.stop);

const ROTATIONS = 5;
/** How long the new password is valid and not in force yet. Connections are replaced all the while. */
const WINDOW_MS = 600;
const RECYCLE_MS = 200;

const pause = async (durationMs: number) => await new Promise((resolve) => setTimeout(resolve, durationMs));

test('no request fails and no transaction is lost while the password is rotated again and again', {
  timeout: 60_000,
}, async () => {
  const rotating = await startRotatingBroker(database, {
    // These rotations follow each other more quickly than looks may by default.
    secrets: { minRefreshIntervalMs: 100 },
    databases: {
      default: {
        pool: { size: 4, maxOverflow: 2, recycleAfterMs: RECYCLE_MS },
        transactions: { idleTimeoutMs: 30_000, lifetimeMs: 60_000 },
      },
    },
  });
  const { broker, secrets, secretWith, setPassword, threads, refresh } = rotating;
  const path = '/v1/databases/default';
  const failures: string[] = [];
  let served = 0;
  let isOver = false;
  const call = async () => {
    while (!isOver) {
      const { status, text } = await broker.post(`${path}/query`, { sql: 'SELECT 1' });
      if (status === 200) served += 1;
      else failures.push(text);
      await pause(20);
    }
  };
  const calling = Promise.allSettled(Array.from({ length: 8 }, call));

  for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
    const begun = await broker.post(`${path}/transactions`, {});
    const { transactionId } = begun.json() as { transactionId: string };
    const inTransaction = async (sql: string) =>
      (await broker.post(`/v1/transactions/${transactionId}/query`, { sql })).json() as { rows?: string[][] };
    const held = Number((await inTransaction('SELECT CONNECTION_ID()')).rows?.[0]?.[0]);

    const versionId = secrets.put(SECRET_ID, secretWith(`new${rotation}`), 'AWSPENDING');
    await setPassword(`new${rotation}`);
    await pause(WINDOW_MS);
    await eventually(
      async () => broker.broker.pools.get('default').credentials.status().versionId,
      (known) => known === versionId,
    );
    secrets.label(SECRET_ID, 'AWSCURRENT', versionId);
    const before = await threads();
    expect(await refresh()).toEqual({ changed: false, versionId });

    expect((await inTransaction('SELECT 1')).rows).toHaveLength(1);
    expect(before).toContain(held);
    expect((await broker.post(`/v1/transactions/${transactionId}/commit`, {})).status).toBe(200);
    await eventually(threads, (ids) => !ids.includes(held), 1_000);
  }

  isOver = true;
  await calling;
  expect(failures).toEqual([]);
  expect(served).toBeGreaterThan(100);
});
