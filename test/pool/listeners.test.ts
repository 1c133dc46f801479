import { expect, test } from 'vitest';
import { buildPool, guardPools, settle } from './support/open-pool-guard.ts';

guardPools();

test('[96] listeners are told in the order in which they came', async () => {
  const { pool } = buildPool();
  const told: string[] = [];
  for (const name of ['first', 'second', 'third']) pool.events.on('checkout', () => told.push(name));
  await pool.checkout();
  expect(told).toEqual(['first', 'second', 'third']);
});

test('[83] reset is told once a reset is done, and not for a connection that is closed instead', async () => {
  const { pool, connector } = buildPool({ size: 1, maxOverflow: 0 });
  let resets = 0;
  pool.events.on('reset', () => {
    resets += 1;
  });
  connector.resets.hold();
  (await pool.checkout()).checkin();
  await settle();
  expect(resets).toBe(0);
  connector.resets.letGo();
  await settle();
  expect(resets).toBe(1);

  const pooled = await pool.checkout();
  pooled.connection.lose();
  pooled.checkin();
  await settle();
  expect(resets).toBe(1);
});

test('[86] [102] listeners get facts, and what belongs to a connection stays with it alone', async () => {
  const { pool, connector } = buildPool({ size: 1, maxOverflow: 0 });
  const events: object[] = [];
  pool.events.on('checkin', (event) => events.push(event));
  const pooled = await pool.checkout();
  const { connection } = pooled;
  pooled.checkin();
  expect((await pool.checkout()).connection).toBe(connection);
  expect(connector.opened).toEqual([connection]);
  expect(events).toEqual([{ heldMs: 0 }]);
});

test('[42] [99] [108] after reconnect a pool is as it was when it was built, and its listeners go on hearing', async () => {
  const { pool, connector } = buildPool({ size: 2, maxOverflow: 1 });
  const fresh = pool.stats();
  const heard: string[] = [];
  for (const name of ['connect', 'checkout', 'close'] as const) pool.events.on(name, () => heard.push(name));
  (await pool.checkout()).checkin();
  await settle();
  pool.invalidate('reconnect');
  await settle();
  expect(pool.stats()).toEqual({ ...fresh, generation: 1 });

  expect((await pool.checkout()).connection).toBe(connector.opened[1]);
  expect(heard).toEqual(['connect', 'checkout', 'close', 'connect', 'checkout']);
  const more = await Promise.all([pool.checkout(), pool.checkout()]);
  expect(more).toHaveLength(2);
  expect(pool.stats()).toMatchObject({ connections: 3, overflow: 1 });
});
