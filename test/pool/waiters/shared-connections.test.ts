import { expect, test, vi } from 'vitest';
import { Deadline } from '../../../lib/async/deadline.ts';
import type { CheckoutOptions } from '../../../lib/pool/checkout.ts';
import type { PooledConnection } from '../../../lib/pool/pooled-connection.ts';
import type { FakeConnection } from '../support/fake-connector.ts';
import { buildPool, guardPools, type PoolUnderTest, settle } from '../support/open-pool-guard.ts';

guardPools();

type Pooled = PooledConnection<FakeConnection>;

/** Who was served, in order, by the name that each call has as its purpose. */
interface Served {
  readonly pooled: Pooled;
  readonly purpose: string;
}

/** A call of its own for each name. */
function call({ pool }: PoolUnderTest, names: string, options: CheckoutOptions = {}, served: Served[] = []) {
  for (const purpose of names) {
    pool.checkout({ ...options, purpose }).then(
      (pooled) => served.push({ pooled, purpose }),
      () => undefined,
    );
  }
  return served;
}

const namesOf = (served: readonly Served[]) => served.map(({ purpose }) => purpose).join('');
const connectionsOf = (served: readonly Served[]) =>
  new Set(served.map(({ pooled }) => pooled.connection)).size;
const ONE = { size: 1, maxOverflow: 0 } as const;

test('the head of the queue takes those behind it along, up to maxPipelined', async () => {
  const built = buildPool({ ...ONE, maxPipelined: 3 });
  const first = await built.pool.checkout();
  const served = call(built, 'abcd', { sharesAs: 'reads' });
  first.checkin();
  await settle();
  expect(namesOf(served)).toBe('abc');
  expect(connectionsOf(served)).toBe(1);
  expect(served.map(({ pooled }) => pooled.isShared)).toEqual([true, true, true]);
  expect(built.pool.stats()).toMatchObject({ checkedOut: 1, waiting: 1 });
  for (const { pooled } of served) pooled.checkin();
  await settle();
  expect(namesOf(served)).toBe('abcd');
  expect(served[3]?.pooled.isShared).toBe(false);
  served[3]?.pooled.checkin();
});

test('a connection comes back when the last of those who share it has checked in', async () => {
  const built = buildPool(ONE);
  const events: string[] = [];
  for (const name of ['checkout', 'checkin', 'reset', 'double_checkin'] as const) {
    built.pool.events.on(name, () => events.push(name));
  }
  const first = await built.pool.checkout();
  const served = call(built, 'abc', { sharesAs: 'reads' });
  first.checkin();
  await settle();
  const next = call(built, 'n');
  for (const index of [1, 0]) served[index]?.pooled.checkin();
  served[0]?.pooled.checkin();
  await settle();
  expect(next).toEqual([]);
  expect(built.pool.stats().checkedOut).toBe(1);
  expect(() => served[0]?.pooled.connection).toThrow('checked in already');
  served[2]?.pooled.checkin();
  await settle();
  expect(namesOf(next)).toBe('n');
  next[0]?.pooled.checkin();
  await settle();
  expect(events.filter((name) => name === 'checkout')).toHaveLength(5);
  expect(events.filter((name) => name === 'checkin')).toHaveLength(5);
  expect(events.filter((name) => name === 'double_checkin')).toHaveLength(1);
  expect(events.filter((name) => name === 'reset')).toHaveLength(3);
});

test('nobody is overtaken: what is to have a connection alone ends the group before it', async () => {
  const built = buildPool(ONE);
  const first = await built.pool.checkout();
  const served = call(built, 'ab', { sharesAs: 'reads' });
  call(built, 'W', {}, served);
  call(built, 'c', { sharesAs: 'reads' }, served);
  call(built, 'x', { sharesAs: 'others' }, served);
  const order: string[] = [];
  first.checkin();
  await settle();
  while (served.length > 0) {
    order.push(namesOf(served));
    for (const { pooled } of served.splice(0)) pooled.checkin();
    await settle();
  }
  expect(order).toEqual(['ab', 'W', 'c', 'x']);
});

test('callers take turns among those that are taken along', async () => {
  const built = buildPool({ ...ONE, maxPipelined: 4 });
  const first = await built.pool.checkout();
  const served = call(built, 'abcdef', { caller: 'many', sharesAs: 'reads' });
  call(built, 'z', { caller: 'single', sharesAs: 'reads' }, served);
  first.checkin();
  await settle();
  expect(namesOf(served)).toBe('azbc');
  for (const { pooled } of served.splice(0)) pooled.checkin();
  await settle();
  expect(namesOf(served)).toBe('def');
  for (const { pooled } of served) pooled.checkin();
});

test('where connections are many, each takes only its part of the queue', async () => {
  const built = buildPool({ size: 3, maxOverflow: 0 });
  const held = await Promise.all([1, 2, 3].map(async () => await built.pool.checkout()));
  const served = call(built, 'abcde', { sharesAs: 'reads' });
  for (const pooled of held) pooled.checkin();
  await settle();
  expect(served.map(({ pooled }) => pooled.isShared)).toEqual([true, true, false, false]);
  expect(connectionsOf(served)).toBe(3);
  for (const { pooled } of served) pooled.checkin();
  await settle();
  served[4]?.pooled.checkin();
});

test('with maxPipelined 1 every call has its connection alone', async () => {
  const built = buildPool({ ...ONE, maxPipelined: 1 });
  const first = await built.pool.checkout();
  const served = call(built, 'ab', { sharesAs: 'reads' });
  first.checkin();
  await settle();
  expect(namesOf(served)).toBe('a');
  served[0]?.pooled.checkin();
  await settle();
  served[1]?.pooled.checkin();
});

test('a call that has left the queue is not taken along', async () => {
  const built = buildPool(ONE);
  const first = await built.pool.checkout();
  const served = call(built, 'a', { sharesAs: 'reads' });
  call(built, 'd', { sharesAs: 'reads', deadline: Deadline.after(50) }, served);
  const hangUp = new AbortController();
  call(built, 'h', { sharesAs: 'reads', signal: hangUp.signal }, served);
  call(built, 'b', { sharesAs: 'reads' }, served);
  hangUp.abort(new Error('gone'));
  await vi.advanceTimersByTimeAsync(100);
  first.checkin();
  await settle();
  expect(namesOf(served)).toBe('ab');
  for (const { pooled } of served) pooled.checkin();
});

test('a connection that is lost while it is shared is closed once, when the last has checked in', async () => {
  const built = buildPool(ONE);
  const closed: string[] = [];
  built.pool.events.on('close', ({ reason }) => closed.push(reason));
  const first = await built.pool.checkout();
  const served = call(built, 'abc', { sharesAs: 'reads' });
  first.checkin();
  await settle();
  built.connector.opened[0]?.lose();
  for (const { pooled } of served) {
    expect(closed).toEqual([]);
    pooled.checkin();
  }
  expect(closed).toEqual(['lost']);
});

test('a call that is repeated comes first, whoever waits, however full the queue is', async () => {
  const built = buildPool({ ...ONE, maxWaiting: 2 });
  const first = await built.pool.checkout();
  const served = call(built, 'ab', { caller: 'one' });
  call(built, 'r', { caller: 'other', isRepeat: true }, served);
  call(built, 's', { caller: 'one', isRepeat: true }, served);
  expect(built.pool.stats().waiting).toBe(4);
  first.checkin();
  await settle();
  for (let index = 0; index < 4; index += 1) {
    served[index]?.pooled.checkin();
    await settle();
  }
  expect(namesOf(served)).toBe('rsab');
});

test('a pool that drains serves a call that is repeated, until it has ended', async () => {
  const built = buildPool(ONE);
  const first = await built.pool.checkout();
  const draining = built.pool.drain(Deadline.after(1_000));
  await expect(built.pool.checkout()).rejects.toMatchObject({ code: 'DRAINING' });
  const served = call(built, 'r', { isRepeat: true });
  first.checkin();
  await settle();
  expect(namesOf(served)).toBe('r');
  served[0]?.pooled.checkin();
  await vi.advanceTimersByTimeAsync(1_000);
  await draining;
  await expect(built.pool.checkout({ isRepeat: true })).rejects.toMatchObject({ code: 'DRAINING' });
});

test('the holder that is named for a connection that is held too long is the first of those who share it', async () => {
  const built = buildPool({ ...ONE, heldTooLongMs: 1_000 });
  const told: unknown[] = [];
  built.pool.events.on('held_too_long', ({ purpose }) => told.push(purpose));
  built.pool.events.on('late_checkin', ({ purpose }) => told.push(`${String(purpose)} is back`));
  const first = await built.pool.checkout();
  const served = call(built, 'ab', { sharesAs: 'reads' });
  first.checkin();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(told).toEqual(['a']);
  for (const { pooled } of served) pooled.checkin();
  expect(told).toEqual(['a', 'a is back']);
});
