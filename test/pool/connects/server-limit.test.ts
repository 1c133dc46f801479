import { describe, expect, test, vi } from 'vitest';
import { Deadline } from '../../../lib/async/deadline.ts';
import type { CheckoutOptions } from '../../../lib/pool/checkout.ts';
import { ServerConnectionLimit } from '../../../lib/pool/connects/server-limit.ts';
import type { PoolOptions } from '../../../lib/pool/pool-options.ts';
import { buildPool, guardPools, type PoolUnderTest, settle } from '../support/open-pool-guard.ts';

guardPools();

/** Two pools on a server that bears `maxConnections`. */
function twoPools(maxConnections: number, options: Partial<PoolOptions> = {}) {
  const server = new ServerConnectionLimit(maxConnections);
  return { server, a: buildPool(options, server), b: buildPool(options, server) };
}

async function borrow({ pool }: PoolUnderTest, count: number) {
  return await Promise.all(Array.from({ length: count }, async () => await pool.checkout()));
}

/** Callers without end, each using its connection for 10 ms. */
function keepBusy({ pool }: PoolUnderTest, callers: number): { stop(): Promise<void>; served: number } {
  let isOver = false;
  const busy = { served: 0, stop };
  const working = Array.from({ length: callers }, async () => {
    while (!isOver) {
      await pool.use(async () => {
        await new Promise((resolve) => {
          setTimeout(resolve, 10);
        });
      });
      busy.served += 1;
    }
  });
  async function stop(): Promise<void> {
    isOver = true;
    await vi.advanceTimersByTimeAsync(100);
    await Promise.all(working);
  }
  return busy;
}

describe('pools on one server', () => {
  test('never have more connections together than it bears, closing ones included', async () => {
    const { server, a, b } = twoPools(3);
    const borrowed = await borrow(a, 2);
    await borrow(b, 1);
    const waiting = b.pool.checkout();
    await settle();
    expect([a.connector.counted, b.connector.counted, server.free]).toEqual([2, 1, 0]);
    a.connector.closes.hold();
    for (const pooled of borrowed) pooled.checkin();
    await settle();
    expect(b.connector.opens.calls).toBe(1);
    expect(a.pool.stats().closing).toBe(1);
    a.connector.closes.letGo();
    await waiting;
    expect([a.connector.counted, b.connector.counted]).toEqual([1, 2]);
  });

  test('close an idle connection at once for another whose callers wait', async () => {
    const { a, b } = twoPools(2);
    for (const pooled of await borrow(a, 2)) pooled.checkin();
    await settle();
    expect(a.pool.stats().idle).toBe(2);
    const reasons: string[] = [];
    a.pool.events.on('close', ({ reason }) => reasons.push(reason));
    expect((await b.pool.checkout()).waitedMs).toBe(0);
    expect(reasons).toEqual(['yielded']);
    expect(a.pool.stats().idle).toBe(1);
  });

  test('give up connections in use as they come back, down to a fair share', async () => {
    const { a, b } = twoPools(4, { size: 4 });
    const busyA = keepBusy(a, 20);
    await vi.advanceTimersByTimeAsync(500);
    expect(a.connector.counted).toBe(4);
    const busyB = keepBusy(b, 20);
    await vi.advanceTimersByTimeAsync(500);
    const [servedA, servedB] = [busyA.served, busyB.served];
    await vi.advanceTimersByTimeAsync(1_000);
    expect([a.connector.counted, b.connector.counted]).toEqual([2, 2]);
    expect(busyA.served - servedA).toBeGreaterThan(150);
    expect(busyB.served - servedB).toBeGreaterThan(150);
    expect(a.connector.opens.calls + b.connector.opens.calls).toBeLessThanOrEqual(10);
    await busyA.stop();
    await busyB.stop();
  });

  test('take turns on a server that bears but one connection', async () => {
    const { a, b } = twoPools(1);
    for (let round = 0; round < 3; round += 1) {
      for (const { pool } of [a, b]) (await pool.checkout()).checkin();
    }
    expect(a.connector.opened).toHaveLength(3);
    expect(b.connector.opened).toHaveLength(3);
  });

  test('take turns, both with callers without end, on a server that bears fewer connections than there are pools', async () => {
    const { a, b } = twoPools(1);
    const busyA = keepBusy(a, 3);
    await vi.advanceTimersByTimeAsync(500);
    const busyB = keepBusy(b, 3);
    const [servedA, servedB] = [busyA.served, busyB.served];
    await vi.advanceTimersByTimeAsync(2_000);
    expect(busyA.served - servedA).toBeGreaterThan(90);
    expect(busyB.served - servedB).toBeGreaterThan(90);
    expect(a.connector.opens.calls + b.connector.opens.calls).toBeLessThanOrEqual(205);
    await busyA.stop();
    await busyB.stop();
  });

  test('do not drive out each other to keep minIdle', async () => {
    const { a, b } = twoPools(2, { minIdle: 2 });
    for (const pooled of await borrow(a, 2)) pooled.checkin();
    await settle();
    (await b.pool.checkout()).checkin();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(a.connector.opens.calls + b.connector.opens.calls).toBe(3);
  });

  test('give a slot back when a login fails', async () => {
    const { server, a, b } = twoPools(1);
    a.connector.opens.failure = new Error('refused');
    await expect(a.pool.checkout()).rejects.toThrow('refused');
    expect(server.free).toBe(1);
    await b.pool.checkout();
  });
});

describe('a slot that a caller of another pool waited for', () => {
  interface Leaving {
    readonly how: string;
    /** What the only caller of the pool asks with. */
    ask?(stop: AbortSignal): CheckoutOptions;
    leave(pool: PoolUnderTest['pool'], stop: AbortController): unknown;
  }

  const leavings: readonly Leaving[] = [
    {
      how: 'its own deadline passed',
      ask: () => ({ deadline: Deadline.after(100) }),
      leave: async () => await vi.advanceTimersByTimeAsync(200),
    },
    { how: 'it waited too long', leave: async () => await vi.advanceTimersByTimeAsync(5_001) },
    {
      how: 'it hung up',
      ask: (signal) => ({ signal }),
      leave: (_, stop) => stop.abort(new Error('hung up')),
    },
    { how: 'its pool was paused', leave: (pool) => pool.pause() },
    {
      how: 'its pool was closed',
      leave: async (pool) => {
        void pool.drain(Deadline.after(10));
        await vi.advanceTimersByTimeAsync(20);
      },
    },
  ];

  test.each(leavings)('is taken from nobody once $how', async ({ ask, leave }) => {
    const { server, a, b } = twoPools(2);
    const borrowed = await borrow(a, 2);
    const stop = new AbortController();
    const waiting = b.pool.checkout(ask?.(stop.signal)).catch(() => undefined);
    await settle();
    await leave(b.pool, stop);
    await settle();

    for (const pooled of borrowed) pooled.checkin();
    await vi.advanceTimersByTimeAsync(1_000);

    expect([a.pool.stats().idle, b.connector.opens.calls, server.free]).toEqual([2, 0, 0]);
    b.pool.resume();
    await waiting;
  });

  test('is taken from nobody once its own pool serves it', async () => {
    const { a, b } = twoPools(2);
    const [ofA, ofB] = [await a.pool.checkout(), await b.pool.checkout()];
    const waiting = b.pool.checkout();
    await settle();
    ofB.checkin();
    (await waiting).checkin();

    ofA.checkin();
    await settle();

    expect([a.pool.stats().idle, b.pool.stats().idle]).toEqual([1, 1]);
  });

  test('is still given up for those that wait on', async () => {
    const { a, b } = twoPools(2);
    const [pooled] = await borrow(a, 2);
    const stop = new AbortController();
    const left = expect(b.pool.checkout({ signal: stop.signal })).rejects.toThrow('hung up');
    const waiting = b.pool.checkout();
    await settle();
    stop.abort(new Error('hung up'));
    await left;

    pooled?.checkin();

    expect((await waiting).connection).toBe(b.connector.opened[0]);
  });

  test('goes to a pool whose callers still wait', async () => {
    const { server, a, b } = twoPools(1);
    const c = buildPool({}, server);
    const pooled = await a.pool.checkout();
    const stop = new AbortController();
    const left = expect(b.pool.checkout({ signal: stop.signal })).rejects.toThrow('hung up');
    const waiting = c.pool.checkout();
    await settle();
    stop.abort(new Error('hung up'));
    await left;

    pooled.checkin();
    await waiting;

    expect([b.connector.opens.calls, c.connector.opens.calls]).toEqual([0, 1]);
  });
});

test('POOL_TIMEOUT says that the server bears no more', async () => {
  const { a, b } = twoPools(1);
  await a.pool.checkout();
  const rejected = expect(b.pool.checkout()).rejects.toMatchObject({
    code: 'POOL_TIMEOUT',
    reason: 'The 1 connections that its server may have are in use',
  });
  await vi.advanceTimersByTimeAsync(5_000);
  await rejected;
});
