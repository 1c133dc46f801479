import { describe, expect, test } from 'vitest';
import { statusLine } from '../../lib/pool/pool-stats.ts';
import { buildPool, guardPools, settle } from './support/open-pool-guard.ts';

guardPools();

test('[8] without overflow a pool never opens more than its size', async () => {
  const { pool, connector } = buildPool({ size: 2, maxOverflow: 0 });
  const [first] = await Promise.all([pool.checkout(), pool.checkout()]);
  const waiting = pool.checkout();
  await settle();
  expect(pool.stats()).toMatchObject({ connections: 2, overflow: 0, waiting: 1 });
  first.checkin();
  await waiting;
  expect(connector.opens.calls).toBe(2);
});

describe('the counts', () => {
  test('[14] tell the configured size, whatever is open', async () => {
    const { pool } = buildPool({ size: 2, maxOverflow: 1 });
    expect(pool.stats()).toMatchObject({ size: 2, maxOverflow: 1, connections: 0 });
    await Promise.all([pool.checkout(), pool.checkout(), pool.checkout()]);
    expect(pool.stats()).toMatchObject({ size: 2, maxOverflow: 1, connections: 3 });
  });

  test('[15] call only what is open idle: a connection that was invalidated is not', async () => {
    const { pool, connector } = buildPool();
    const borrowed = await Promise.all([pool.checkout(), pool.checkout()]);
    for (const pooled of borrowed) pooled.checkin();
    await settle();
    connector.closes.hold();
    pool.invalidate('test');
    expect(pool.stats()).toMatchObject({ idle: 0, closing: 2, connections: 2 });
  });

  test('[16] call overflow what is beyond the size, opening ones too, and it is never negative', async () => {
    const { pool, connector } = buildPool({ size: 1, maxOverflow: 1 });
    expect(pool.stats().overflow).toBe(0);
    connector.opens.hold();
    const both = Promise.all([pool.checkout(), pool.checkout()]);
    await settle();
    expect(pool.stats()).toMatchObject({ overflow: 1, opening: 2 });
    connector.opens.letGo();
    await both;
    expect(pool.stats()).toMatchObject({ overflow: 1, opening: 0 });
  });

  test('[17] call checked out what a borrower has, and not what logs in', async () => {
    const { pool, connector } = buildPool();
    connector.opens.hold();
    const waiting = pool.checkout();
    await settle();
    expect(pool.stats()).toMatchObject({ opening: 1, checkedOut: 0 });
    connector.opens.letGo();
    await waiting;
    expect(pool.stats()).toMatchObject({ opening: 0, checkedOut: 1 });
  });

  test("[19] read as SQLAlchemy's status line", async () => {
    const { pool } = buildPool({ size: 1, maxOverflow: 2 });
    const [first] = await Promise.all([pool.checkout(), pool.checkout(), pool.checkout()]);
    first.checkin();
    await settle();
    expect(statusLine(pool.stats())).toBe(
      'Pool size: 1  Connections in pool: 1 Current Overflow: 2 Current Checked out connections: 2',
    );
  });

  test('[111] [112] stay true when everything is invalidated while it is borrowed, again and again', async () => {
    const { pool, connector } = buildPool({ size: 2, maxOverflow: 0 });
    for (let round = 0; round < 5; round += 1) {
      const borrowed = await Promise.all([pool.checkout(), pool.checkout()]);
      const next = [pool.checkout(), pool.checkout()];
      pool.invalidate('test');
      await settle();
      expect(pool.stats()).toMatchObject({ checkedOut: 2, connections: 2, waiting: 2 });
      for (const pooled of borrowed) pooled.checkin();
      for (const waiting of next) (await waiting).checkin();
      await settle();
      expect(pool.stats()).toMatchObject({ checkedOut: 0, idle: 2, connections: 2, overflow: 0 });
    }
    expect(connector.peak).toBe(2);
  });
});
