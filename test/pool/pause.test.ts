import { describe, expect, test, vi } from 'vitest';
import { Deadline } from '../../lib/async/deadline.ts';
import { buildPool, guardPools, settle } from './support/open-pool-guard.ts';

guardPools();

/** Two connections: one is borrowed and one is idle. */
async function halfUsedPool() {
  const built = buildPool({ size: 2, maxOverflow: 1, maxWaiting: 2 });
  const [borrowed, other] = await Promise.all([built.pool.checkout(), built.pool.checkout()]);
  other.checkin();
  await settle();
  return { ...built, borrowed };
}

describe('a paused pool', () => {
  test('holds calls in line beside idle connections and room, until it is resumed', async () => {
    const { pool, connector } = await halfUsedPool();
    pool.pause();
    const line = [pool.checkout(), pool.checkout()];
    await vi.advanceTimersByTimeAsync(2_000);
    expect(pool.stats()).toMatchObject({ paused: true, waiting: 2, idle: 1, checkedOut: 1, connections: 2 });
    pool.resume();
    await Promise.all(line);
    expect(pool.stats()).toMatchObject({ paused: false, waiting: 0, checkedOut: 3 });
    expect(connector.opens.calls).toBe(3);
  });

  test('lets borrowers finish, and keeps what they give back', async () => {
    const { pool, borrowed } = await halfUsedPool();
    pool.pause();
    const waiting = pool.checkout();
    borrowed.checkin();
    await settle();
    expect(pool.stats()).toMatchObject({ idle: 2, checkedOut: 0, waiting: 1 });
    pool.resume();
    await waiting;
  });

  test('does not stop the deadlines of those in line', async () => {
    const { pool } = await halfUsedPool();
    pool.pause();
    const rejected = expect(pool.checkout()).rejects.toMatchObject({ code: 'POOL_TIMEOUT' });
    await vi.advanceTimersByTimeAsync(5_000);
    await rejected;
  });

  test('refuses a call beyond maxWaiting', async () => {
    const { pool } = await halfUsedPool();
    pool.pause();
    const line = [pool.checkout(), pool.checkout()];
    await expect(pool.checkout()).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    pool.resume();
    await Promise.all(line);
  });

  test('serves those in line when it is drained', async () => {
    const { pool } = await halfUsedPool();
    pool.pause();
    const waiting = pool.checkout();
    const drained = pool.drain(Deadline.after(1_000));
    pool.pause();
    (await waiting).checkin();
    await vi.advanceTimersByTimeAsync(1_000);
    await drained;
  });
});

test('reconnect replaces idle connections now and busy ones when they come back', async () => {
  const { pool, connector, borrowed } = await halfUsedPool();
  pool.invalidate('reconnect');
  await settle();
  expect(pool.stats()).toMatchObject({ idle: 0, checkedOut: 1, connections: 1 });
  expect(borrowed.connection.isUsable).toBe(true);
  borrowed.checkin();
  await settle();
  expect(connector.counted).toBe(0);
  expect((await pool.checkout()).connection).toBe(connector.opened[2]);
});
