import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FairShares } from '../../../lib/broker/requests/fair-shares.ts';
import { eventually, http } from '../../support/http.ts';
import { createNumbers } from '../../support/numbers.ts';
import { type OpenStream, openStream } from '../../support/stream.ts';
import { errorOf, transactionCalls } from '../../support/transactions.ts';
import { useBroker } from '../../support/use-broker.ts';

describe('places are shared fairly:', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const terms = (max: number, isShared = true) => ({ max, isShared });
  const takeAll = (shares: FairShares, caller: string, max: number, isShared = true): number => {
    let count = 0;
    while (shares.acquire(caller, terms(max, isShared)) === undefined) count += 1;
    return count;
  };

  test.each([
    [10, true, 9],
    [2, true, 1],
    [1, true, 1],
    [0, true, 0],
    [10, false, 10],
  ])('of %i, shared %s, one caller gets %i', (max, isShared, expected) => {
    expect(takeAll(new FairShares(), 'one', max, isShared)).toBe(expected);
  });

  test('the last place is for one that holds none, and nobody is told what others hold', () => {
    const shares = new FairShares();
    takeAll(shares, 'many', 10);
    expect(shares.acquire('many', terms(10))).toEqual({ max: 9, actual: 10, held: 9 });
    expect(shares.acquire('few', terms(10))).toBeUndefined();
    expect(shares.acquire('few', terms(10))).toEqual({ max: 10, actual: 11, held: 1 });
    expect(shares.acquire('third', terms(10))).toEqual({ max: 10, actual: 11, held: 0 });
    expect(shares.total).toBe(10);
  });

  test('while somebody wants one in vain, nobody takes more than its share', () => {
    const shares = new FairShares();
    takeAll(shares, 'many', 10);
    shares.acquire('few', terms(10));
    shares.acquire('few', terms(10));
    for (let freed = 0; freed < 5; freed += 1) {
      shares.release('many');
      const held = 8 - freed;
      const refusal = shares.acquire('many', terms(10));
      expect(refusal).toEqual(held < 5 ? undefined : { max: 5, actual: held + 1, held });
    }
  });

  test('a caller that wants none any more does not keep others below their share', () => {
    const shares = new FairShares();
    takeAll(shares, 'many', 4);
    shares.acquire('few', terms(4));
    shares.acquire('third', terms(4));
    shares.release('few');
    shares.release('many');
    expect(shares.acquire('many', terms(4))).toMatchObject({ held: 2 });
    vi.advanceTimersByTime(6_000);
    expect(shares.acquire('many', terms(4))).toBeUndefined();
  });

  test('whatever callers do, none is refused for long that holds less than the others', () => {
    const shares = new FairShares();
    const held: string[] = [];
    const callers = ['a', 'a', 'a', 'a', 'b', 'c'];
    for (let step = 0; step < 2_000; step += 1) {
      const caller = callers[(step * 7 + Math.floor(step / 11)) % callers.length] ?? 'a';
      if (shares.acquire(caller, terms(6)) === undefined) held.push(caller);
      if (step % 3 === 0) {
        const [first] = held.splice(0, 1);
        if (first !== undefined) shares.release(first);
      }
      expect(held.length).toBe(shares.total);
      expect(shares.total).toBeLessThanOrEqual(6);
    }
    const heldBy = (name: string) => held.filter((caller) => caller === name).length;
    expect(Math.abs(heldBy('b') - heldBy('c'))).toBeLessThanOrEqual(1);
    expect(heldBy('b')).toBeGreaterThanOrEqual(1);
    expect(heldBy('a')).toBeLessThanOrEqual(3);
  });
});

const { database, broker } = await useBroker();
await createNumbers(database);
const reader = transactionCalls(broker.url, broker.keys.reader);
const writer = transactionCalls(broker.url, broker.keys.writer);

test('one caller that opens all the transactions it can leaves others theirs', async () => {
  const begin = async (key: string) => await broker.post('/v1/databases/default/transactions', {}, key);
  const ids: string[] = [];
  for (let count = 0; count < 9; count += 1) ids.push(await reader.begin());
  const refused = await begin(broker.keys.reader);
  expect(errorOf(refused)).toMatchObject([
    429,
    { code: 'TOO_MANY_TRANSACTIONS', limit: { name: 'maxOpen', max: 9, actual: 10 }, details: { own: 9 } },
  ]);
  expect(refused.headers['retry-after']).toBeDefined();
  const own = await writer.begin();
  expect(errorOf(await begin(broker.keys.writer))).toMatchObject([
    429,
    { limit: { max: 10, actual: 11 }, details: { own: 1 } },
  ]);
  // The next that comes free is the writer's.
  await reader.call(ids.pop() ?? '', 'rollback');
  expect((await begin(broker.keys.reader)).status).toBe(429);
  await reader.call(ids.pop() ?? '', 'rollback');
  const second = await writer.begin();
  await Promise.all(ids.map(async (id) => await reader.call(id, 'rollback')));
  await Promise.all([own, second].map(async (id) => await writer.call(id, 'rollback')));
});

test('one caller that opens all the streams it can leaves others theirs', async () => {
  const large = { sql: "SELECT a.seq, REPEAT('x', 1000) FROM numbers a, numbers b" };
  const stream = async (key: string) => await openStream(broker.queryUrl(), broker.headers(key), large);
  const open: OpenStream[] = [];
  for (let count = 0; count < 3; count += 1) open.push(await stream(broker.keys.reader));
  const refused = await stream(broker.keys.reader);
  expect([refused.response.statusCode, await refused.rest()]).toMatchObject([
    429,
    [
      {
        error: {
          code: 'TOO_MANY_STREAMS',
          limit: { name: 'maxStreams', max: 3, actual: 4 },
          details: { own: 3 },
        },
      },
    ],
  ]);
  open.push(await stream(broker.keys.writer));
  expect(open.map(({ response }) => response.statusCode)).toEqual([200, 200, 200, 200]);
  for (const { hangUp } of open) hangUp();
});

test('one caller whose long statements take all the connections they can leaves others theirs', async () => {
  const sleep = { sql: 'SELECT SLEEP(20)' };
  const hangUp = new AbortController();
  const sleeping = Array.from({ length: 25 }, () =>
    http(broker.queryUrl(), {
      headers: broker.headers(broker.keys.reader),
      body: JSON.stringify(sleep),
      signal: hangUp.signal,
    }).catch(() => undefined),
  );
  await eventually(
    async () =>
      (await http(`${broker.url}/v1/databases/default`, { headers: broker.headers(broker.keys.admin) })).text,
    (text) => text.includes('"checkedOut":19,') && text.includes('"waiting":6,'),
  );
  expect((await broker.query('SELECT 1')).rows).toHaveLength(1);
  hangUp.abort();
  await Promise.all(sleeping);
});
