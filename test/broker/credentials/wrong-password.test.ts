import { afterAll, describe, expect, test } from 'vitest';
import { startTestDatabase } from '../../support/database/database.ts';
import { eventually } from '../../support/http.ts';
import {
  type RotatingBroker,
  SECRET_ID,
  startRotatingBroker,
} from '../../support/rotation/rotating-broker.ts';

const database = await startTestDatabase();
afterAll(database.stop);

const OBSERVED_MS = 10_000;

/** Logins that the server has refused since it started. */
async function refusedLogins(): Promise<number> {
  const [row] = await database.admin.query("SHOW GLOBAL STATUS LIKE 'Aborted_connects'");
  return Number(row?.Value);
}

const ask = async ({ broker }: RotatingBroker) =>
  await broker.post('/v1/databases/default/query', { sql: 'SELECT 1' });

/** A hundred callers that ask again and again; the replies of all. */
async function storm(rotating: RotatingBroker): Promise<Set<string>> {
  const endMs = performance.now() + OBSERVED_MS;
  const seen = new Set<string>();
  const call = async () => {
    while (performance.now() < endMs) {
      const { status, text } = await ask(rotating);
      seen.add(`${status} ${/"code":"(\w+)"/.exec(text)?.[1]}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  };
  await Promise.all(Array.from({ length: 100 }, call));
  return seen;
}

describe('a password that stays wrong fails every call at once, with at most ten logins in ten seconds,', () => {
  test('from the start', { timeout: 60_000 }, async () => {
    const before = await refusedLogins();
    const rotating = await startRotatingBroker(database, {}, 'wrong');

    expect(await storm(rotating)).toEqual(new Set(['502 CREDENTIALS_REFUSED']));

    expect((await refusedLogins()) - before).toBeLessThanOrEqual(10);
  });

  test('after it was right, for two aliases on one secret', { timeout: 60_000 }, async () => {
    const databases = { other: { credentials: { secretId: SECRET_ID } } };
    const rotating = await startRotatingBroker(database, { databases });
    const askOther = async () => await rotating.broker.post('/v1/databases/other/query', { sql: 'SELECT 1' });
    await Promise.all([ask(rotating), askOther()]);
    await rotating.setPassword('changed by hand');
    const before = await refusedLogins();
    await rotating.killAll();
    await eventually(
      async () => await ask(rotating),
      ({ text }) => text.includes('CREDENTIALS_REFUSED'),
    );

    await Promise.all([storm(rotating), eventually(askOther, ({ status }) => status === 502)]);

    expect((await refusedLogins()) - before).toBeLessThanOrEqual(10);
  });
});

test('a password that is set right in the secret serves again', async () => {
  const rotating = await startRotatingBroker(database, {}, 'wrong');
  await eventually(
    async () => await ask(rotating),
    ({ status }) => status === 502,
  );

  rotating.secrets.put(SECRET_ID, rotating.secretWith('old'));
  await rotating.refresh();

  await eventually(
    async () => await ask(rotating),
    ({ status }) => status === 200,
  );
});
