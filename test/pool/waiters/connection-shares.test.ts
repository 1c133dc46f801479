import { expect, test, vi } from 'vitest';
import type { PooledConnection } from '../../../lib/pool/pooled-connection.ts';
import type { FakeConnection } from '../support/fake-connector.ts';
import { buildPool, guardPools, type PoolUnderTest, settle } from '../support/open-pool-guard.ts';

guardPools();

type Pooled = PooledConnection<FakeConnection>;

/** What each of these calls got, as they get it. */
function callAs({ pool }: PoolUnderTest, caller: string, calls: number): Pooled[] {
  const held: Pooled[] = [];
  for (let call = 0; call < calls; call += 1) {
    pool.checkout({ caller }).then(
      (pooled) => held.push(pooled),
      () => undefined,
    );
  }
  return held;
}

function giveBack(held: Pooled[], count = held.length): void {
  for (const pooled of held.splice(0, count)) pooled.checkin();
}

test('where several callers use a pool, one that holds all it can leaves the last connection to another', async () => {
  const built = buildPool({ size: 3, maxOverflow: 3, isShared: true });
  const many = callAs(built, 'many', 10);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(many).toHaveLength(5);
  const single = callAs(built, 'single', 1);
  await vi.advanceTimersByTimeAsync(0);
  expect(single).toHaveLength(1);
  giveBack(single);
  await settle();
  expect(many).toHaveLength(5);
  while (many.length > 0) {
    giveBack(many);
    await settle();
  }
});

test.each([
  ['where no other uses the pool', { size: 3, maxOverflow: 3, isShared: false }],
  ['of a pool of four', { size: 2, maxOverflow: 2, isShared: true }],
])('%s one caller has all the connections that it can use', async (_, options) => {
  const built = buildPool(options);
  const many = callAs(built, 'many', 10);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(many).toHaveLength(options.size + options.maxOverflow);
  while (many.length > 0) {
    giveBack(many);
    await settle();
  }
});

test('a pool of one connection is shared by turns', async () => {
  const built = buildPool({ size: 1, maxOverflow: 0, isShared: true });
  const many = callAs(built, 'many', 2);
  const single = callAs(built, 'single', 1);
  await settle();
  expect([many.length, single.length]).toEqual([1, 0]);
  giveBack(many);
  await settle();
  expect([many.length, single.length]).toEqual([0, 1]);
  giveBack(single);
  await settle();
  giveBack(many);
});

test('a connection that comes back goes to the caller that has the fewest', async () => {
  const built = buildPool({ size: 6, maxOverflow: 0, isShared: true });
  const many = callAs(built, 'many', 20);
  await vi.advanceTimersByTimeAsync(1_000);
  const few = callAs(built, 'few', 10);
  await settle();
  expect([many.length, few.length]).toEqual([5, 1]);
  for (const shares of [
    [4, 2],
    [3, 3],
  ]) {
    giveBack(many, 1);
    await settle();
    expect([many.length, few.length]).toEqual(shares);
  }
  giveBack(many, 1);
  await settle();
  expect(many.length + few.length).toBe(6);
  while (many.length + few.length > 0) {
    giveBack(many);
    giveBack(few);
    await settle();
  }
});

test('a connection that was cut off counts as its caller’s until the server has let it go', async () => {
  const built = buildPool({ size: 3, maxOverflow: 3, isShared: true });
  built.connector.closes.hold();
  const many = callAs(built, 'many', 10);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(many).toHaveLength(5);
  for (const { connection } of many) connection.isUsable = false;
  giveBack(many);
  await vi.advanceTimersByTimeAsync(100);
  expect([many.length, built.pool.stats().closing]).toEqual([0, 5]);
  const single = callAs(built, 'single', 1);
  await vi.advanceTimersByTimeAsync(100);
  expect(single).toHaveLength(1);
  giveBack(single);
  built.connector.closes.letGo();
  built.connector.closes.recover();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(many).toHaveLength(5);
  while (many.length > 0) {
    giveBack(many);
    await vi.advanceTimersByTimeAsync(100);
  }
});

test('a call that waits because its caller has its share is told so', async () => {
  const built = buildPool({ size: 5, maxOverflow: 0, isShared: true, checkoutTimeoutMs: 1_000 });
  const { pool } = built;
  const held = callAs(built, 'one', 4);
  await vi.advanceTimersByTimeAsync(100);
  const failure = expect(pool.checkout({ caller: 'one' })).rejects.toMatchObject({
    code: 'POOL_TIMEOUT',
    reason: 'This caller has 4 of them, and the last one is for other callers',
  });
  await vi.advanceTimersByTimeAsync(1_000);
  await failure;
  giveBack(held);
});
