import { expect, test } from 'vitest';
import { connect } from '../../../lib/index.ts';
import { transactionCalls } from '../../support/transactions.ts';
import { useBroker } from '../../support/use-broker.ts';

const { broker } = await useBroker();

const PROBLEM = 'must not hold half of a surrogate pair';
const [HIGH, LOW] = ['\ud83d', '\ude00'];
const sql = 'SELECT 1';

test.each<[string, string, object]>([
  ['the text of a query', 'query', { sql: `SELECT '${HIGH}'` }],
  ['the second half alone', 'query', { sql: `SELECT '${LOW}'` }],
  ['halves in the wrong order', 'query', { sql: `SELECT '${LOW}${HIGH}'` }],
  ['a comment', 'query', { sql: `/* ${HIGH} */ SELECT 1` }],
  ['a value', 'query', { sql: 'SELECT ?', params: [HIGH] }],
  ['a value by name', 'query', { sql: 'SELECT :a', params: { a: HIGH } }],
  ['the name of a value', 'query', { sql: 'SELECT :a', params: { a: 1, [`b${HIGH}`]: 1 } }],
  ['a list', 'query', { sql: 'SELECT 1 IN (?)', params: [{ $list: [HIGH] }] }],
  ['the text of a batch', 'batch', { sql: `INSERT INTO t VALUES ('${HIGH}')`, paramSets: [[]] }],
  ['a set of a batch', 'batch', { sql: 'INSERT INTO t VALUES (?)', paramSets: [['a'], [LOW]] }],
  ['a statement of a transaction', 'transaction', { statements: [{ sql }, { sql: `SELECT '${HIGH}'` }] }],
])('half a surrogate pair is refused in %s', async (_, route, body) => {
  const reply = await broker.post(`/v1/databases/default/${route}`, body);

  expect([reply.status, reply.json()]).toMatchObject([
    400,
    { error: { code: 'INVALID_REQUEST', outcome: 'not_applied', message: expect.stringContaining(PROBLEM) } },
  ]);
});

test('half a surrogate pair is refused in a transaction that is open, which goes on', async () => {
  const calls = transactionCalls(broker.url, broker.keys.writer);
  const id = await calls.begin();

  for (const reply of [
    await calls.query(id, `SELECT '${HIGH}'`),
    await calls.call(id, 'batch', { sql: `INSERT INTO t VALUES ('${HIGH}')`, paramSets: [[]] }),
  ]) {
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining(PROBLEM)]);
  }

  expect((await calls.call(id, 'commit')).status).toBe(200);
});

test('the client refuses it before anything is sent', async () => {
  const db = connect({ url: 'http://127.0.0.1:1', key: 'k' });
  const refused = { code: 'INVALID_REQUEST', message: expect.stringContaining(PROBLEM) };

  await expect(db.query(`SELECT '${HIGH}'`)).rejects.toMatchObject(refused);
  await expect(db.batch(`INSERT INTO t VALUES ('${LOW}')`, [[]])).rejects.toMatchObject(refused);
  await expect(db.transaction([{ sql: `SELECT '${HIGH}'` }])).rejects.toMatchObject(refused);
  await expect(db.stream(`SELECT '${HIGH}'`).next()).rejects.toMatchObject(refused);
});

test('whole pairs pass, in every place', async () => {
  const { rows } = await broker.query(`SELECT '${HIGH}${LOW}', :a`, { a: HIGH + LOW });

  expect(rows).toEqual([['😀', '😀']]);
});
