import { expect, test } from 'vitest';
import { http } from '../../support/http.ts';
import { useBroker } from '../../support/use-broker.ts';

const pool = { size: 2, maxOverflow: 8 };
const { database, broker } = await useBroker({
  databases: { default: { pool }, other: { pool } },
  maxServerConnections: 3,
});

test('two aliases on one server have three connections together, both are served, and /metrics tells', async () => {
  const ask = async (alias: string) =>
    (await broker.post(`/v1/databases/${alias}/query`, { sql: 'SELECT SLEEP(0.05)' })).status;
  const asked = Promise.all(
    Array.from({ length: 40 }, async (_, index) => await ask(index % 2 ? 'default' : 'other')),
  );
  let most = 0;
  for (let look = 0; look < 100; look += 1) {
    const rows = await database.admin.query(
      "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = 'app'",
    );
    most = Math.max(most, Number(rows[0]?.n));
  }
  expect(new Set(await asked)).toEqual(new Set([200]));
  expect(most).toBe(3);
  const { text } = await http(`${broker.url}/metrics`);
  const label = `{server="${database.server.host}:${database.server.port}"}`;
  const value = (metric: string) => text.split(`\n${metric}${label} `)[1]?.split('\n')[0];
  // One may be on its way from one alias to the other.
  expect(value('broker_server_connections')).toMatch(/^[123]$/);
  expect(value('broker_server_connections_max')).toBe('3');
});
