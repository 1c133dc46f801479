import { expect, test } from 'vitest';
import { eventually } from '../../support/http.ts';
import { openStream } from '../../support/stream.ts';
import { useBroker } from '../../support/use-broker.ts';

const { database, broker } = await useBroker();
await database.admin.query('CREATE TABLE app.notes (n INT)');

async function noteCount(): Promise<number> {
  const [row] = await database.admin.query('SELECT COUNT(*) AS count FROM app.notes');
  return Number(row?.count);
}

test('a streamed procedure that the end of the broker cuts off may have written, and says so', async () => {
  await database.admin.query(
    'CREATE PROCEDURE app.lingers() BEGIN INSERT INTO app.notes VALUES (1); DO SLEEP(30); END',
  );
  const opened = openStream(broker.queryUrl(), broker.headers(), { sql: 'CALL lingers()' });
  await eventually(noteCount, (count) => count === 1);
  broker.broker.streams.endAll();
  const stream = await opened;
  expect(stream.response.statusCode).toBe(503);
  expect(await stream.rest()).toMatchObject([
    { error: { code: 'DRAINING', outcome: 'unknown', retryable: false } },
  ]);
});
