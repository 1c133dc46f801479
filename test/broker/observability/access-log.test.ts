import { afterAll, describe, expect, test } from 'vitest';
import { startTestBroker, type TestBroker } from '../../support/broker.ts';
import { eventually, type HttpReply, http } from '../../support/http.ts';
import { createNumbers } from '../../support/numbers.ts';
import { openStream, rowsOf } from '../../support/stream.ts';
import { transactionCalls } from '../../support/transactions.ts';
import { useBroker } from '../../support/use-broker.ts';

/** A quick call on a busy machine is not slow. */
const NEVER_SLOW = { slowMs: 60_000 };
const LATE_MS = 2_000;

const databases = {
  default: { statistics: NEVER_SLOW },
  slow: { statistics: { slowMs: 100 }, pool: { size: 1, maxOverflow: 0 } },
  patient: { statistics: { slowMs: LATE_MS }, limits: { maxStreams: 1 } },
};
const { database, broker } = await useBroker({ databases, server: { bodyLimitBytes: 10_000 } });
await createNumbers(database);
const talkative = await startTestBroker(database, { databases, server: { accessLog: 'all' } });
afterAll(talkative.stop);

interface Line {
  readonly msg: string;
  readonly reqId?: string;
  readonly status?: number;
  readonly code?: string;
  readonly audit?: string;
}

let calls = 0;
const nextId = () => {
  calls += 1;
  return `call-${calls}`;
};

function linesOf({ logs }: TestBroker, reqId: string): Line[] {
  return logs.map((line) => JSON.parse(line) as Line).filter((line) => line.reqId === reqId);
}

/** The lines that a call leaves. A failing call follows it, and has left its own line. */
async function linesLeftBy(
  call: (headers: Record<string, string>) => Promise<unknown>,
  at: TestBroker = broker,
): Promise<Line[]> {
  const reqId = nextId();
  await call({ ...at.headers(), 'x-request-id': reqId });
  const lastId = nextId();
  await http(`${at.url}/nowhere`, { headers: { 'x-request-id': lastId } });
  await eventually(
    async () => linesOf(at, lastId).length,
    (count) => count > 0,
  );
  return linesOf(at, reqId);
}

const ask =
  (sql: string, alias = 'default', at: TestBroker = broker) =>
  async (headers: Record<string, string>): Promise<HttpReply> =>
    await http(at.queryUrl(alias), { headers, body: JSON.stringify({ sql }) });

const stream = (sql: string, alias: string) => async (headers: Record<string, string>) =>
  await (await openStream(broker.queryUrl(alias), headers, { sql })).rest();

const request = (status: number, code?: string) => [
  expect.objectContaining({ msg: 'request', status, ...(code === undefined ? {} : { code }) }),
];

describe('by default', () => {
  test('a call that went well and was quick leaves no line', async () => {
    expect(await linesLeftBy(ask('SELECT 1'))).toEqual([]);
    expect(await linesLeftBy(stream('SELECT 1', 'default'))).toEqual([]);
    const path = `${broker.url}/v1/databases/default/transaction`;
    const body = JSON.stringify({ statements: [{ sql: 'SELECT 1' }] });
    expect(await linesLeftBy(async (headers) => await http(path, { headers, body }))).toEqual([]);
    expect(await linesLeftBy(async (headers) => await http(`${broker.url}/healthz`, { headers }))).toEqual(
      [],
    );
  });

  test('a transaction may be long: each of its calls is a call of its own', async () => {
    const { begin, query, call } = transactionCalls(broker.url, 'writer-key');
    const id = await begin({}, 'patient');
    const before = broker.logs.length;
    await query(id, 'SELECT 1');
    await new Promise((resolve) => setTimeout(resolve, LATE_MS + 200));
    await call(id, 'commit');
    await linesLeftBy(ask('SELECT 1'));
    const told = broker.logs.slice(before).filter((line) => line.includes('"status":200'));
    expect(told).toEqual([]);
  }, 30_000);

  test('one that failed leaves a line', async () => {
    expect(await linesLeftBy(ask('SELECT * FROM missing'))).toEqual(request(400, 'SQL_ERROR'));
    expect(await linesLeftBy(stream('SELECT * FROM missing', 'default'))).toEqual(request(400, 'SQL_ERROR'));
  });

  test.each<[number, string, string, Record<string, string>, string]>([
    [401, 'UNAUTHENTICATED', 'default/query', { authorization: 'Bearer wrong' }, '{"sql":"SELECT 1"}'],
    [403, 'FORBIDDEN', 'slow/query', { authorization: 'Bearer reader-key' }, '{"sql":"SELECT 1"}'],
    [404, 'UNKNOWN_DATABASE', 'missing/query', {}, '{"sql":"SELECT 1"}'],
    [400, 'INVALID_REQUEST', 'default/query', {}, '{}'],
    [413, 'REQUEST_TOO_LARGE', 'default/query', {}, JSON.stringify({ sql: 'x'.repeat(20_000) })],
  ])('one that was refused leaves a line: %i %s', async (status, code, path, more, body) => {
    const refused = async (headers: Record<string, string>) =>
      await http(`${broker.url}/v1/databases/${path}`, { headers: { ...headers, ...more }, body });
    const lines = await linesLeftBy(refused);
    expect(lines.filter(({ msg }) => msg === 'request')).toEqual(request(status, code));
    // Who was denied has an audit line too.
    expect(lines.filter(({ audit }) => audit === 'denied')).toHaveLength(
      status === 401 || status === 403 ? 1 : 0,
    );
  });

  test('so does one that exceeds a share', async () => {
    const endless = 'SELECT a.seq FROM numbers a, numbers b';
    const open = await openStream(broker.queryUrl('patient'), broker.headers(), { sql: endless });
    expect(await linesLeftBy(stream('SELECT 1', 'patient'))).toEqual(request(429, 'TOO_MANY_STREAMS'));
    open.hangUp();
  });

  test('a slow one leaves a line, whether it ran or waited', async () => {
    expect(await linesLeftBy(ask('SELECT SLEEP(0.2)', 'slow'))).toEqual(request(200));
    const held = await broker.broker.pools.get('slow').pool.checkout();
    setTimeout(() => held.checkin(), 200);
    expect(await linesLeftBy(ask('SELECT 1', 'slow'))).toEqual(request(200));
  });

  test('a stream is slow if its first row comes late, not because it is long', async () => {
    const long = async (headers: Record<string, string>) => {
      const open = await openStream(broker.queryUrl('patient'), headers, {
        sql: "SELECT REPEAT('x', 1000) FROM numbers LIMIT 30000",
      });
      await new Promise((resolve) => setTimeout(resolve, LATE_MS + 200));
      expect(rowsOf(await open.rest()).length).toBe(30_000);
    };
    expect(await linesLeftBy(long)).toEqual([]);
    expect(await linesLeftBy(stream('SELECT SLEEP(0.2)', 'slow'))).toEqual(request(200));
  }, 30_000);

  test('a call of an admin leaves a line, and one for auditors', async () => {
    const get = async (headers: Record<string, string>) =>
      await http(`${broker.url}/v1/databases`, {
        headers: { ...headers, authorization: `Bearer ${broker.keys.admin}` },
      });
    expect(await linesLeftBy(get)).toEqual([
      ...request(200),
      expect.objectContaining({ msg: 'audit', audit: 'admin' }),
    ]);
  });
});

test('with accessLog all, a call that went well and was quick leaves a line too', async () => {
  expect(await linesLeftBy(ask('SELECT 1', 'default', talkative), talkative)).toEqual(request(200));
});
