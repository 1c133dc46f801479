import { expect, test } from 'vitest';
import { BegunTransaction } from '../../../lib/protocol/transaction.ts';
import { eventually } from '../../support/http.ts';
import { createNumbers } from '../../support/numbers.ts';
import { untilNoneRuns } from '../../support/running-statements.ts';
import { openStream, rowsOf } from '../../support/stream.ts';
import { useBroker } from '../../support/use-broker.ts';

const LARGE = "SELECT a.seq, REPEAT('x', 1000) FROM numbers a, numbers b";

const { database, broker } = await useBroker({
  databases: {
    default: { limits: { maxStreams: 1 } },
    hasty: { transactions: { idleTimeoutMs: 500, lifetimeMs: 1_500 } },
  },
});

await createNumbers(database);

const isMysql = database.server.flavour === 'mysql';
const LIMIT = isMysql ? 'max_execution_time' : 'max_statement_time';
const PER_SECOND = isMysql ? 1_000 : 1;

async function begin(alias = 'default'): Promise<string> {
  const reply = await broker.post(`/v1/databases/${alias}/transactions`, {});
  return BegunTransaction.parse(reply.json()).transactionId;
}

const call = async (id: string, what: string, body: object = {}) =>
  await broker.post(`/v1/transactions/${id}/${what}`, body);

const stream = async (id: string, sql: string) =>
  await openStream(`${broker.url}/v1/transactions/${id}/query`, broker.headers(), { sql });

test('a stream sees what its transaction has done, and holds up its next call', async () => {
  const id = await begin();
  await call(id, 'query', {
    sql: 'CREATE TEMPORARY TABLE mine AS SELECT seq FROM numbers WHERE seq <= 50000',
  });
  const open = await stream(id, 'SELECT seq FROM mine');
  let isDone = false;
  const next = call(id, 'query', { sql: `SELECT @@${LIMIT} + 0e0` });
  const lines = await open.rest().finally(() => {
    isDone = true;
  });
  expect(rowsOf(lines).length).toBe(50_000);
  expect([(await next).json(), isDone]).toMatchObject([{ rows: [[30 * PER_SECOND]] }, true]);
  expect((await call(id, 'commit')).status).toBe(200);
});

test('the limit of a statement that the transaction has set is there again after a stream', async () => {
  const id = await begin();
  await call(id, 'query', { sql: `SET ${LIMIT} = ${7 * PER_SECOND}` });
  await (await stream(id, 'SELECT seq FROM numbers LIMIT 10')).rest();
  await (await stream(id, 'SELECT seq FROM numbers LIMIT 10')).rest();
  const reply = await call(id, 'query', { sql: `SELECT @@${LIMIT} + 0e0` });
  expect(reply.json()).toMatchObject({ rows: [[7 * PER_SECOND]] });
  await call(id, 'rollback');
});

test('a stream that fails in the middle tells whether the transaction goes on', async () => {
  const id = await begin();
  const sql = 'SELECT seq + 9223372036854725808 FROM numbers';
  expect((await (await stream(id, sql)).rest()).at(-1)).toMatchObject({
    error: { code: 'SQL_ERROR', transaction: 'open', outcome: 'not_applied' },
  });
  const refused = await stream(id, 'SELECT * FROM missing');
  expect(await refused.rest()).toMatchObject([{ error: { transaction: 'open' } }]);
  expect(refused.response.statusCode).toBe(400);
  expect((await call(id, 'commit')).status).toBe(200);
});

test('one stream more than are allowed leaves the transaction as it is', async () => {
  const [one, other] = [await begin(), await begin()];
  const open = await stream(one, LARGE);
  const refused = await stream(other, 'SELECT 1');
  expect([refused.response.statusCode, await refused.rest()]).toMatchObject([
    429,
    [{ error: { code: 'TOO_MANY_STREAMS', transaction: 'open' } }],
  ]);
  open.hangUp();
  expect((await call(one, 'rollback')).status).toBe(200);
  expect((await call(other, 'commit')).status).toBe(200);
});

test('a stream whose caller hangs up leaves its transaction open', async () => {
  const id = await begin();
  await call(id, 'query', { sql: 'SET @kept = 5' });
  const open = await stream(id, 'SELECT seq, IF(seq > 40, SLEEP(60), 0), REPEAT("x", 1000) FROM numbers');
  await open.next();
  open.hangUp();
  expect((await call(id, 'query', { sql: 'SELECT @kept' })).json()).toMatchObject({ rows: [['5']] });
  await call(id, 'rollback');
});

test('a transaction is not idle while a stream runs, and its end is the last line of the stream', async () => {
  const id = await begin('hasty');
  const open = await stream(id, LARGE);
  await open.next();
  open.response.pause();
  await eventually(
    async () => (await call(id, 'commit')).json(),
    (reply) => JSON.stringify(reply).includes('TRANSACTION_ENDED'),
  );
  open.response.resume();
  expect((await open.rest()).at(-1)).toMatchObject({
    error: { code: 'TRANSACTION_ENDED', reason: 'lifetime', transaction: 'ended', outcome: 'not_applied' },
  });
  await untilNoneRuns(database, 'SELECT a.seq%');
});
