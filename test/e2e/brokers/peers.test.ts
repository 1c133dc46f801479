import { type IncomingMessage, request as sendRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../support/http.ts';
import { openStream, rowsOf } from '../../support/stream.ts';
import { errorOf } from '../../support/transactions.ts';
import { HEADERS, INCREMENT, useTwoBrokers } from './support/two-brokers.ts';

const brokers = await useTwoBrokers();
const { database, other, begin, ask, counted, running } = brokers;

/** What the database sends in a second. */
async function sentInASecond(): Promise<number> {
  const sent = async () =>
    Number((await database.admin.query("SHOW GLOBAL STATUS LIKE 'Bytes_sent'"))[0]?.Value);
  const before = await sent();
  await delay(1_000);
  return (await sent()) - before;
}

describe('a call that reaches another broker than the one that holds its transaction', () => {
  test('is answered by that one', async () => {
    const id = await begin();
    const update = await ask(id, 'query', { sql: INCREMENT }, { headers: { 'x-request-id': 'far-call' } });
    expect([update.status, update.json()]).toMatchObject([200, { affectedRows: 1 }]);
    expect(update.headers['x-request-id']).toBe('far-call');
    const batch = await ask(id, 'batch', { sql: 'UPDATE counted SET n = n + ?', paramSets: [[1], [1]] });
    expect(batch.json()).toMatchObject({ results: [{ affectedRows: 1 }, { affectedRows: 1 }] });
    expect(await counted()).toBe(0);
    expect((await ask(id, 'commit')).json()).toEqual({ status: 'committed' });
    expect((await ask(id, 'commit')).json()).toEqual({ status: 'committed' });
    expect(errorOf(await ask(id, 'query', { sql: INCREMENT }))).toMatchObject([410, { reason: 'committed' }]);
    expect(await counted()).toBe(3);
    const line =
      other
        .output()
        .split('\n')
        .find((text) => text.includes('far-call')) ?? '{}';
    expect(JSON.parse(line)).toMatchObject({ forwardedTo: id.split('.')[0], status: 200, caller: 'writer' });
  });

  test('can roll back there', async () => {
    const id = await begin();
    await ask(id, 'query', { sql: INCREMENT });
    expect((await ask(id, 'rollback')).json()).toEqual({ status: 'rolled_back' });
    expect(await counted()).toBe(0);
  });

  test('fails as it fails there', async () => {
    const id = await begin();
    expect(errorOf(await ask(id, 'query', { sql: 'SELECT 1 FROM nowhere' }))).toMatchObject([
      400,
      { code: 'SQL_ERROR', transaction: 'open', mysql: { errno: 1146 } },
    ]);
    expect(errorOf(await ask(id, 'query', { sql: 'SELECT 1', color: 'red' }))).toMatchObject([
      400,
      { code: 'INVALID_REQUEST' },
    ]);
    const large = { sql: `SELECT '${'x'.repeat(4_200_000)}'` };
    expect(errorOf(await ask(id, 'query', large))).toMatchObject([413, { code: 'REQUEST_TOO_LARGE' }]);
    expect((await ask(id, 'rollback')).status).toBe(200);
  });

  test('streams rows', async () => {
    const id = await begin();
    const sql = 'SELECT seq FROM numbers';
    const stream = await openStream(`${other.url}/v1/transactions/${id}/query`, HEADERS, { sql });
    expect(stream.response.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    const lines = await stream.rest();
    expect([rowsOf(lines).length, lines.at(-1)]).toMatchObject([100_000, { end: { rowCount: 100_000 } }]);
    expect((await ask(id, 'commit')).status).toBe(200);
  });

  test('streams rows no faster than they are read, and stops when its caller hangs up', async () => {
    const id = await begin();
    const sql = "SELECT a.seq, REPEAT('x', 1000) FROM numbers a, numbers b";
    const hangUp = new AbortController();
    const unread = await new Promise<IncomingMessage>((resolve, reject) => {
      const url = `${other.url}/v1/transactions/${id}/query`;
      const headers = { ...HEADERS, accept: 'application/x-ndjson' };
      const request = sendRequest(url, { method: 'POST', headers, signal: hangUp.signal }, resolve);
      request.on('error', reject);
      request.end(JSON.stringify({ sql }));
    });
    unread.on('error', () => undefined);
    await eventually(sentInASecond, (bytes) => bytes < 50_000, 15_000);
    expect((await running(`${sql}%`)).length).toBe(1);
    hangUp.abort();
    await eventually(
      () => running(`${sql}%`),
      (rows) => rows.length === 0,
    );
    expect((await ask(id, 'rollback')).status).toBe(200);
  });

  test('is stopped there when its caller hangs up', async () => {
    const id = await begin();
    const hangUp = new AbortController();
    const asked = ask(id, 'query', { sql: 'SELECT SLEEP(25), 1' }, { signal: hangUp.signal });
    asked.catch(() => undefined);
    await eventually(
      () => running('SELECT SLEEP(25), 1%'),
      (rows) => rows.length === 1,
    );
    hangUp.abort();
    await expect(asked).rejects.toThrow();
    await eventually(
      () => running('SELECT SLEEP(25), 1%'),
      (rows) => rows.length === 0,
    );
    expect((await ask(id, 'commit')).status).toBe(200);
  });

  test('has the time that its caller gives it, and the transaction goes on', async () => {
    const id = await begin();
    const headers = { 'x-timeout-ms': '1000' };
    expect(errorOf(await ask(id, 'query', { sql: 'SELECT SLEEP(25), 2' }, { headers }))).toMatchObject([
      504,
      { code: 'DEADLINE_EXCEEDED', outcome: 'not_applied', transaction: 'open' },
    ]);
    expect(
      errorOf(await ask(id, 'query', { sql: 'SELECT 1' }, { headers: { 'x-timeout-ms': 'soon' } })),
    ).toMatchObject([400, { code: 'INVALID_REQUEST' }]);
    expect((await ask(id, 'commit')).status).toBe(200);
  });

  test('is answered in time when that one is stuck', async () => {
    const id = await begin();
    brokers.owner.child.kill('SIGSTOP');
    const headers = { 'x-timeout-ms': '500' };
    const late = [504, { code: 'DEADLINE_EXCEEDED', outcome: 'unknown' }];
    expect(errorOf(await ask(id, 'query', { sql: INCREMENT }, { headers }))).toMatchObject(late);
    expect(errorOf(await ask(id, 'commit', {}, { headers }))).toMatchObject(late);
    brokers.owner.child.kill('SIGCONT');
    await ask(id, 'rollback');
    expect((await ask(await begin(), 'commit')).status).toBe(200);
  });

  test('needs the key of the caller that the transaction is of', async () => {
    const id = await begin();
    expect(errorOf(await ask(id, 'commit', {}, { key: 'admin-key' }))).toMatchObject([
      404,
      { code: 'TRANSACTION_NOT_FOUND' },
    ]);
    expect(errorOf(await ask(id, 'commit', {}, { key: 'no-key' }))).toMatchObject([
      401,
      { code: 'UNAUTHENTICATED' },
    ]);
    expect((await ask(id, 'commit')).status).toBe(200);
  });

  test('goes no further if it says that it comes from a broker', async () => {
    const id = await begin();
    const headers = { 'x-broker-hop': '1' };
    expect(errorOf(await ask(id, 'query', { sql: INCREMENT }, { headers }))).toMatchObject([
      410,
      { code: 'TRANSACTION_ENDED', reason: 'connection_lost' },
    ]);
    expect((await ask(id, 'query', { sql: INCREMENT })).status).toBe(200);
    expect((await ask(id, 'rollback')).status).toBe(200);
  });
});

test('ids that no broker can have given out are not looked for', async () => {
  for (const id of ['x', 'a'.repeat(90), `${'a'.repeat(16)}.b`]) {
    expect(errorOf(await ask(id, 'commit'))).toMatchObject([404, { code: 'TRANSACTION_NOT_FOUND' }]);
  }
});
