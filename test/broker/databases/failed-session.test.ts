import { expect, test } from 'vitest';
import { eventually } from '../../support/http.ts';
import { useBroker } from '../../support/use-broker.ts';

const { database, broker } = await useBroker({
  databases: { default: { session: { variables: { a_variable_of_tomorrow: 1 } } } },
});

const asked = async () => await broker.post('/v1/databases/default/query', { sql: 'SELECT 1' });

test('[38] [39] a session that cannot be set is a failed login, which leaves no connection open', async () => {
  expect((await asked()).json()).toMatchObject({ error: { code: 'DATABASE_UNREACHABLE' } });
  await eventually(
    async () =>
      await database.admin.query("SELECT id FROM information_schema.processlist WHERE user = 'app'"),
    (connections) => connections.length === 0,
  );
});

test('[38] the next login tries it again', async () => {
  const { pool } = broker.broker.pools.get('default');
  const failures: unknown[] = [];
  pool.events.on('connect_failed', ({ error }) => failures.push(error));
  await eventually(
    async () => failures.length,
    (count) => count >= 2,
  );
  expect(pool.stats()).toMatchObject({ idle: 0, checkedOut: 0 });
});
