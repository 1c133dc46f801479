import { expect, test } from 'vitest';
import { startTestBroker } from '../../support/broker.ts';
import { startTestDatabase } from '../../support/database/database.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { errorOf } from '../../support/transactions.ts';

/** MySQL's command COM_SET_OPTION, alone in its packet, and one that no server knows. */
const SET_OPTION = Buffer.from([3, 0, 0, 0, 0x1b]);
const UNKNOWN_COMMAND = Buffer.from([3, 0, 0, 0, 0x7f]);

const TRANSACTION = {
  isolation: 'read committed',
  statements: [
    { sql: 'INSERT INTO t VALUES (1)', expect: { affectedRows: 1 } },
    { sql: 'UPDATE t SET a = a + 1', expect: { affectedRows: 1 } },
    { sql: 'DELETE FROM t' },
  ],
};

test('a whole transaction takes two round trips, and so does a batch; the reset takes none', async () => {
  const database = await startTestDatabase();
  let trips = 0;
  let isAnswered = true;
  await using proxy = await startTcpProxy({
    portOfNext: () => database.server.port,
    change: (chunk) => {
      isAnswered = true;
      return chunk;
    },
    changeRequest: (chunk) => {
      if (isAnswered) trips += 1;
      isAnswered = false;
      return chunk;
    },
  });
  await database.admin.query('CREATE TABLE app.t (a INT)');
  const pool = { size: 1, maxOverflow: 0, healthCheckIntervalMs: 0, minIdle: 1 };
  const broker = await startTestBroker(database, { databases: { default: { port: proxy.port, pool } } });
  const tripsOf = async (path: string, body: object) => {
    const before = trips;
    const { status } = await broker.post(`/v1/databases/default/${path}`, body);
    return [status, trips - before];
  };
  const batch = { sql: 'INSERT INTO t VALUES (?)', paramSets: [[1], [2], [3], [4], [5]] };
  await broker.post('/v1/databases/default/transaction', TRANSACTION);
  expect(await tripsOf('transaction', TRANSACTION)).toEqual([200, 2]);
  const [first, ...others] = TRANSACTION.statements;
  const withDeadline = { statements: [{ ...first, timeoutMs: 5_000 }, ...others] };
  // START TRANSACTION, the statement, the others, COMMIT.
  expect(await tripsOf('transaction', withDeadline)).toEqual([200, 4]);
  expect(await tripsOf('batch', batch)).toEqual([200, 2]);
  await broker.stop();
  await database.stop();
});

test('behind a proxy that takes one statement a command a transaction still runs', async () => {
  const database = await startTestDatabase();
  await using proxy = await startTcpProxy({
    portOfNext: () => database.server.port,
    changeRequest: (chunk) => {
      const at = chunk.indexOf(SET_OPTION);
      if (at < 0) return chunk;
      const changed = Buffer.from(chunk);
      for (let found = at; found >= 0; found = changed.indexOf(SET_OPTION, found)) {
        UNKNOWN_COMMAND.copy(changed, found);
      }
      return changed;
    },
  });
  await database.admin.query('CREATE TABLE app.t (a INT)');
  const broker = await startTestBroker(database, { databases: { default: { port: proxy.port } } });
  const done = await broker.post('/v1/databases/default/transaction', TRANSACTION);
  expect([done.status, done.json()]).toMatchObject([
    200,
    { results: [{ affectedRows: 1 }, { affectedRows: 1 }, { affectedRows: 1 }] },
  ]);
  const failed = await broker.post('/v1/databases/default/transaction', {
    statements: [{ sql: 'INSERT INTO t VALUES (1)' }, { sql: 'SELECT nothing' }],
  });
  expect(errorOf(failed)).toMatchObject([400, { outcome: 'not_applied', details: { index: 1 } }]);
  expect((await broker.query('SELECT * FROM t')).rows).toEqual([]);
  await broker.stop();
  await database.stop();
});
