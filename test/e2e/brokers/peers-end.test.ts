import { expect, test } from 'vitest';
import { eventually } from '../../support/http.ts';
import { openStream } from '../../support/stream.ts';
import { errorOf, transactionCalls } from '../../support/transactions.ts';
import { HEADERS, INCREMENT, useTwoBrokers } from './support/two-brokers.ts';

const brokers = await useTwoBrokers();
const { database, other, begin, ask, counted, running } = brokers;

test('a broker that shuts down finishes the calls that it has sent on', async () => {
  const third = await brokers.startThird();
  const id = await begin();
  const asked = transactionCalls(third.url, 'writer-key').query(id, 'SELECT SLEEP(3), 4');
  await eventually(
    () => running('SELECT SLEEP(3), 4%'),
    (rows) => rows.length === 1,
  );
  third.child.kill('SIGTERM');
  const { status, headers } = await asked;
  expect([status, headers.connection, await third.exited]).toEqual([200, 'close', 0]);
  await third.stop();
  expect((await ask(id, 'rollback')).status).toBe(200);
});

test('a broker that shuts down serves its open transactions on, through another one too', async () => {
  const { owner } = brokers;
  const id = await begin();
  owner.child.kill('SIGTERM');
  await eventually(
    async () => owner.output(),
    (output) => output.includes('shutting down'),
  );
  expect((await ask(id, 'query', { sql: INCREMENT })).status).toBe(200);
  expect((await ask(id, 'commit')).status).toBe(200);
  expect(await counted()).toBe(1);
  expect(await owner.exited).toBe(0);
  await brokers.replaceOwner();
});

test('the transactions of a broker that was killed have ended, also when another has taken its place', async () => {
  const { owner } = brokers;
  await database.admin.query('CREATE PROCEDURE app.pause() SELECT SLEEP(24)');
  const [idle, busy, calling] = [await begin(), await begin(), await begin()];
  await ask(idle, 'query', { sql: INCREMENT });
  const asked = ask(busy, 'query', { sql: 'SELECT SLEEP(25), 3' });
  await eventually(
    () => running('SELECT SLEEP(25), 3%'),
    (rows) => rows.length === 1,
  );
  const called = ask(calling, 'query', { sql: 'CALL app.pause()' });
  await eventually(
    () => running('%SLEEP(24)%'),
    (rows) => rows.length > 0,
  );
  const stream = await openStream(`${other.url}/v1/transactions/${await begin()}/query`, HEADERS, {
    sql: "SELECT a.seq, REPEAT('x', 1000) FROM numbers a, numbers b",
  });
  await stream.next();
  owner.child.kill('SIGKILL');
  await expect(stream.rest()).rejects.toThrow('aborted');
  expect(errorOf(await called)).toMatchObject([502, { code: 'CONNECTION_LOST', outcome: 'unknown' }]);
  expect(errorOf(await asked)).toMatchObject([
    502,
    { code: 'CONNECTION_LOST', outcome: 'not_applied', transaction: 'ended', retryable: true },
  ]);
  await owner.exited;

  const gone = {
    code: 'TRANSACTION_ENDED',
    reason: 'connection_lost',
    transaction: 'ended',
    retryable: false,
  };
  const all = async () =>
    await Promise.all([
      ask(idle, 'query', { sql: INCREMENT }),
      ask(idle, 'commit'),
      ask(idle, 'rollback'),
      ask(busy, 'query', { sql: INCREMENT }),
    ]);
  const expected = [
    [410, { ...gone, outcome: 'not_applied' }],
    [410, { ...gone, outcome: 'unknown' }],
    [410, { ...gone, outcome: 'unknown' }],
    [410, { ...gone, outcome: 'not_applied' }],
  ];
  expect((await all()).map(errorOf)).toMatchObject(expected);
  await brokers.replaceOwner();
  expect((await all()).map(errorOf)).toMatchObject(expected);
  expect(await counted()).toBe(0);

  const id = await begin();
  expect((await ask(id, 'query', { sql: INCREMENT })).status).toBe(200);
  expect((await ask(id, 'commit')).status).toBe(200);
});
