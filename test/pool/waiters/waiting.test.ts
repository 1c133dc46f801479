import { describe, expect, test, vi } from 'vitest';
import { Deadline } from '../../../lib/async/deadline.ts';
import type { CheckoutOptions } from '../../../lib/pool/checkout.ts';
import type { PooledConnection } from '../../../lib/pool/pooled-connection.ts';
import { FakeConnectError, type FakeConnection } from '../support/fake-connector.ts';
import { buildPool, guardPools, type PoolUnderTest, settle } from '../support/open-pool-guard.ts';

guardPools();

/** A pool of one connection, and that one borrowed. */
async function fullPool(): Promise<PoolUnderTest & { borrowed: PooledConnection<FakeConnection> }> {
  const built = buildPool({ size: 1, maxOverflow: 0, maxWaiting: 3 });
  return { ...built, borrowed: await built.pool.checkout() };
}

/** Callers that join the line in this order. `served` grows as each gets a connection. */
function joinLine({ pool }: PoolUnderTest, names: string[], options?: CheckoutOptions) {
  const served: string[] = [];
  const checkouts = names.map(async (name) => {
    const pooled = await pool.checkout(options);
    served.push(name);
    return pooled;
  });
  // Some never get one, and are not asked about.
  for (const checkout of checkouts) checkout.catch(() => undefined);
  return { served, checkouts };
}

describe('those in line', () => {
  test('[24] are served first come, first served, one for each connection that comes back', async () => {
    const full = await fullPool();
    const { served, checkouts } = joinLine(full, ['a', 'b', 'c']);
    full.borrowed.checkin();
    for (const [index, checkout] of checkouts.entries()) {
      const pooled = await checkout;
      expect(served).toEqual(['a', 'b', 'c'].slice(0, index + 1));
      expect(pooled.connection).toBe(full.connector.opened[0]);
      pooled.checkin();
    }
  });

  test('[25] are never overtaken by a newcomer, though a connection came back just now', async () => {
    const full = await fullPool();
    const early = joinLine(full, ['early']);
    full.borrowed.checkin();
    const late = joinLine(full, ['late']);
    await settle();
    expect(early.served).toEqual(['early']);
    expect(late.served).toEqual([]);
    (await early.checkouts[0])?.checkin();
    await settle();
    expect(late.served).toEqual(['late']);
  });

  test('[25] are not overtaken while an idle connection is pinged for them, and take another', async () => {
    const { pool, connector } = buildPool({ size: 2, order: 'fifo', maxOverflow: 0 });
    const [one, two] = await Promise.all([pool.checkout(), pool.checkout()]);
    one.checkin();
    await vi.advanceTimersByTimeAsync(501);
    two.checkin();
    await settle();
    connector.pings.hold();
    const { served } = joinLine({ pool, connector }, ['early', 'late']);
    await settle();
    expect(served).toEqual(['early']);
    connector.pings.letGo();
    await settle();
    expect(served).toEqual(['early', 'late']);
  });

  test('[32] take a connection that comes back before the login that was begun for them', async () => {
    const { pool, connector } = buildPool({ size: 2, maxOverflow: 0 });
    const borrowed = await pool.checkout();
    connector.opens.hold();
    const waiting = pool.checkout();
    borrowed.checkin();
    expect((await waiting).connection).toBe(connector.opened[0]);
  });

  test('take an idle connection rather than wait for a login that hangs', async () => {
    const { pool, connector } = buildPool({ size: 2, maxOverflow: 0 });
    const borrowed = await pool.checkout();
    connector.opens.hold();
    const hangUp = new AbortController();
    const left = expect(pool.checkout({ signal: hangUp.signal })).rejects.toThrow();
    hangUp.abort();
    borrowed.checkin();
    await left;
    await vi.advanceTimersByTimeAsync(1_000);
    const waiting = pool.checkout();
    await settle();
    expect(pool.stats()).toMatchObject({ opening: 1, checkedOut: 1, waiting: 0 });
    expect((await waiting).connection).toBe(connector.opened[0]);
  });

  test('are told how long they waited', async () => {
    const { pool, borrowed } = await fullPool();
    const waiting = pool.checkout();
    await vi.advanceTimersByTimeAsync(300);
    expect(pool.stats()).toMatchObject({ waiting: 1, oldestWaitMs: 300 });
    borrowed.checkin();
    expect((await waiting).waitedMs).toBe(300);
    expect(pool.stats().oldestWaitMs).toBe(0);
  });
});

describe('a slot that comes free wakes the head of the line', () => {
  test.each<[string, (full: Awaited<ReturnType<typeof fullPool>>) => void]>([
    ['because its reset failed', ({ connector }) => (connector.resets.failure = new Error('reset'))],
    ['because the connection was lost', ({ borrowed }) => borrowed.connection.lose()],
    ['because the connection became unusable', ({ borrowed }) => (borrowed.connection.isUsable = false)],
    ['because the connection was invalidated', ({ pool }) => pool.invalidate('test')],
    [
      'because the goodbye failed',
      ({ connector, pool }) => {
        connector.closes.failure = new Error('close');
        pool.invalidate('test');
      },
    ],
  ])('%s', async (_, prepare) => {
    const full = await fullPool();
    const { checkouts } = joinLine(full, ['a']);
    prepare(full);
    full.borrowed.checkin();
    expect((await checkouts[0])?.connection).toBe(full.connector.opened[1]);
  });

  test('[26] because a connect failed, and after a short back-off another may be tried', async () => {
    const { pool, connector } = buildPool({ size: 2, maxOverflow: 0 });
    await pool.checkout();
    connector.opens.failure = new FakeConnectError('refused');
    const { served } = joinLine({ pool, connector }, ['a']);
    await settle();
    expect(pool.stats()).toMatchObject({ opening: 0, connections: 1, waiting: 1 });
    connector.recover();
    await vi.advanceTimersByTimeAsync(100);
    expect(served).toEqual(['a']);
  });
});

describe('the deadline', () => {
  test('[21] POOL_TIMEOUT comes when checkoutTimeoutMs has passed, with the facts', async () => {
    const { pool } = await fullPool();
    const first = expect(pool.checkout()).rejects.toMatchObject({
      code: 'POOL_TIMEOUT',
      message: expect.stringMatching(/5000 ms.*size 1.*overflow 0.*1 more/),
      details: { size: 1, maxOverflow: 0, waitedMs: 5_000, waiting: 1 },
      reason: undefined,
    });
    await vi.advanceTimersByTimeAsync(1);
    const second = expect(pool.checkout()).rejects.toMatchObject({ code: 'POOL_TIMEOUT' });
    await vi.advanceTimersByTimeAsync(4_998);
    expect(pool.stats().waiting).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    await first;
    expect(pool.stats().waiting).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    await second;
  });

  test('[23] is one for the line and the login, however often the caller is put off', async () => {
    const { pool, connector, borrowed } = await fullPool();
    const rejected = expect(pool.checkout()).rejects.toMatchObject({ code: 'POOL_TIMEOUT' });
    await vi.advanceTimersByTimeAsync(3_000);
    connector.opens.hold();
    borrowed.connection.lose();
    borrowed.checkin();
    await vi.advanceTimersByTimeAsync(1_999);
    expect(pool.stats()).toMatchObject({ waiting: 1, opening: 1 });
    await vi.advanceTimersByTimeAsync(1);
    await rejected;
  });

  test('POOL_TIMEOUT names the last connect failure as its reason', async () => {
    const { pool, connector } = buildPool({ size: 2, maxOverflow: 0 });
    await pool.checkout();
    connector.opens.failure = new FakeConnectError('refused');
    const rejected = expect(pool.checkout()).rejects.toMatchObject({
      code: 'POOL_TIMEOUT',
      reason: connector.opens.failure.message,
      cause: connector.opens.failure,
    });
    await vi.advanceTimersByTimeAsync(5_000);
    await rejected;
  });

  test("a caller's own earlier deadline is DEADLINE_EXCEEDED", async () => {
    const { pool } = await fullPool();
    const deadline = Deadline.after(100);
    const rejected = expect(pool.checkout({ deadline })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await vi.advanceTimersByTimeAsync(100);
    await rejected;
  });

  test("a caller's own later deadline does not lengthen the wait", async () => {
    const { pool } = await fullPool();
    const late = pool.checkout({ deadline: Deadline.after(60_000) });
    const rejected = expect(late).rejects.toMatchObject({ code: 'POOL_TIMEOUT' });
    await vi.advanceTimersByTimeAsync(5_000);
    await rejected;
  });
});

describe('a line of maxWaiting', () => {
  test('refuses one more at once with QUEUE_FULL and the limit', async () => {
    const full = await fullPool();
    joinLine(full, ['a', 'b', 'c']);
    const limit = { name: 'maxWaiting', max: 3, actual: 4 };
    await expect(full.pool.checkout()).rejects.toMatchObject({ code: 'QUEUE_FULL', limit });
  });

  test.each([0, 1])('of %i does not count those whose connection can be opened', async (maxWaiting) => {
    const { pool } = buildPool({ size: 2, maxOverflow: 1, maxWaiting });
    const borrowed = await Promise.all([pool.checkout(), pool.checkout(), pool.checkout()]);
    expect(new Set(borrowed.map(({ connection }) => connection)).size).toBe(3);
  });
});

describe('an abort signal', () => {
  test('[31] takes the caller out of the line with its reason, and swallows no connection', async () => {
    const full = await fullPool();
    const hangUp = new AbortController();
    const left = joinLine(full, ['left'], { signal: hangUp.signal });
    const stays = joinLine(full, ['stays']);
    const reason = new Error('the caller hung up');
    hangUp.abort(reason);
    await expect(left.checkouts[0]).rejects.toBe(reason);
    full.borrowed.checkin();
    expect((await stays.checkouts[0])?.connection).toBe(full.connector.opened[0]);
  });

  test('that comes with the hand-over leaves the connection with the caller', async () => {
    const { pool, connector, borrowed } = await fullPool();
    connector.resets.hold();
    const hangUp = new AbortController();
    const waiting = pool.checkout({ signal: hangUp.signal });
    pool.events.on('checkout', () => hangUp.abort());
    borrowed.checkin();
    connector.resets.letGo();
    expect((await waiting).connection).toBe(connector.opened[0]);
    expect(pool.stats()).toMatchObject({ checkedOut: 1, waiting: 0 });
  });

  test('that was raised before keeps the caller out of the line', async () => {
    const { pool, connector } = buildPool();
    const reason = new Error('too late');
    await expect(pool.checkout({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(connector.opens.calls).toBe(0);
  });
});
