import { expect, test } from 'vitest';
import { eventually } from '../../support/http.ts';
import { useBroker } from '../../support/use-broker.ts';

const { database, broker } = await useBroker();

const ANOTHER = 'another default database or character set';

/** The lines of connections that were closed. */
const closed = (): object[] =>
  broker.logs
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => msg === 'a connection is closed')
    .map(({ database: alias, reason, cause }) => ({ alias, reason, cause }));

const closedNext = async (): Promise<object | undefined> => {
  const before = closed().length;
  const lines = await eventually(
    async () => closed(),
    ({ length }) => length > before,
  );
  return lines[before];
};

test('the log tells of a lost connection what made it unusable', async () => {
  await database.admin.query('CREATE PROCEDURE app.another_charset() SET NAMES latin1');
  const line = closedNext();
  await broker.query('CALL another_charset()');
  expect(await line).toEqual({ alias: 'default', reason: 'lost', cause: ANOTHER });
});

test('the log tells of a connection that the server ended that it was the server', async () => {
  const { rows } = await broker.query('SELECT CONNECTION_ID()');
  const line = closedNext();
  await database.admin.query(`KILL ${String(rows[0]?.[0])}`);
  expect(await line).toEqual({
    alias: 'default',
    // Its reset may have been under way.
    reason: expect.stringMatching(/^(lost|reset_failed)$/),
    cause: expect.stringMatching(/^(closed by the server|PROTOCOL_CONNECTION_LOST|error \d+)$/),
  });
});
