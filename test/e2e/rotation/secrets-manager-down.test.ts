import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startTestDatabase } from '../../support/database/database.ts';
import { eventually } from '../../support/http.ts';
import { startRotationScene } from '../../support/rotation/rotation-scene.ts';
import { SteadyLoad } from '../../support/rotation/steady-load.ts';
import { beginWorking } from '../../support/rotation/working-transaction.ts';
import { createWritten, rowsWrittenBy, WritingCallers } from './support/writing-callers.ts';

const TROUBLES = ['unreachable', 'silent', 'ThrottlingException', 'InternalServiceErrorException'] as const;
const EACH_TROUBLE_MS = 2_000;

test('nothing fails while Secrets Manager is down, though connections are opened all the while', {
  timeout: 120_000,
}, async () => {
  await using database = await startTestDatabase();
  await createWritten(database);
  await using scene = await startRotationScene(database, {
    user: 'lonely',
    pool: { size: 5, maxOverflow: 5, recycleAfterMs: 200 },
    secrets: { refreshIntervalMs: 1_000 },
  });
  const { post, secrets, logins } = scene;
  await eventually(
    async () => await post('/v1/databases/default/query', { sql: 'SELECT 1' }),
    ({ status }) => status === 200,
  );
  const [loginsBefore, looksBefore] = [await logins(), secrets.calls.length];

  const [first] = TROUBLES;
  secrets.trouble = first;
  const callers = new WritingCallers(post);
  const load = new SteadyLoad(200, callers.ask);
  const transaction = await beginWorking(post, "INSERT INTO written (who) VALUES ('transactions')");
  for (const trouble of TROUBLES) {
    secrets.trouble = trouble;
    await delay(EACH_TROUBLE_MS);
  }
  const inTransaction = await transaction.commit();
  const { failures } = await load.stop();

  expect(failures).toEqual([]);
  expect(await rowsWrittenBy(database, 'callers')).toBe(callers.written);
  expect(await rowsWrittenBy(database, 'transactions')).toBe(inTransaction);
  expect(await logins()).toBeGreaterThan(loginsBefore + 10);
  expect(secrets.calls.length).toBeGreaterThan(looksBefore);
});
