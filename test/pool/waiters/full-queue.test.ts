import { describe, expect, test, vi } from 'vitest';
import { BrokerError } from '../../../lib/errors.ts';
import type { PooledConnection } from '../../../lib/pool/pooled-connection.ts';
import type { FakeConnection } from '../support/fake-connector.ts';
import { buildPool, guardPools, settle } from '../support/open-pool-guard.ts';

guardPools();

/** A pool whose only connection is borrowed. `call` adds calls of these callers; `told` is what each was told. */
async function lineOf(maxWaiting: number) {
  const { pool } = buildPool({ size: 1, maxOverflow: 0, maxWaiting });
  const borrowed = await pool.checkout();
  const told: string[] = [];
  const serve = (name: string) => (pooled: PooledConnection<FakeConnection>) => {
    told.push(`${name} served`);
    pooled.checkin();
  };
  const refuse = (name: string) => (error: unknown) => {
    told.push(`${name} ${error instanceof BrokerError ? error.code : String(error)}`);
  };
  const call = async (...names: string[]) => {
    for (const name of names) {
      const [caller] = name.split(' ');
      pool.checkout({ caller }).then(serve(name), refuse(name));
    }
    await settle();
  };
  return { pool, borrowed, told, call };
}

describe('a full line', () => {
  test('takes a caller with fewer calls, and refuses the newest of the caller with the most', async () => {
    const { pool, borrowed, told, call } = await lineOf(4);
    await call('few 1', 'many 1', 'many 2', 'many 3');
    await call('other 1');
    expect(told).toEqual(['many 3 QUEUE_FULL']);
    expect(pool.stats().waiting).toBe(4);
    borrowed.checkin();
    await settle();
    expect(told.slice(1)).toEqual(['few 1 served', 'many 1 served', 'other 1 served', 'many 2 served']);
  });

  test.each(['many', 'two'])('refuses one more of %s, who would then have the most', async (caller) => {
    const { told, call } = await lineOf(5);
    await call('many 1', 'two 1', 'many 2', 'two 2', 'many 3');
    await call(`${caller} more`);
    expect(told).toEqual([`${caller} more QUEUE_FULL`]);
  });

  test('refuses a newcomer if everybody has one call in it', async () => {
    const { pool, told, call } = await lineOf(3);
    await call('a', 'b', 'c', 'd');
    expect(told).toEqual(['d QUEUE_FULL']);
    expect(pool.stats().waiting).toBe(3);
  });

  test('is shared out evenly, whatever the order of the calls', async () => {
    const { pool, borrowed, told, call } = await lineOf(6);
    const calls = (caller: string) => Array.from({ length: 20 }, (_, index) => `${caller} ${index}`);
    await call(...calls('a'), ...calls('b'), ...calls('c'));
    expect(pool.stats().waiting).toBe(6);
    borrowed.checkin();
    await settle();
    const served = told.filter((what) => what.endsWith('served'));
    expect(served).toEqual(['a 0', 'b 0', 'c 0', 'a 1', 'b 1', 'c 1'].map((name) => `${name} served`));
  });

  test('counts nobody it refused as timed out', async () => {
    const { pool, told, call } = await lineOf(2);
    const timeouts = vi.fn();
    pool.events.on('timeout', timeouts);
    await call('many 1', 'many 2', 'few');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(told).toEqual(['many 2 QUEUE_FULL', 'many 1 POOL_TIMEOUT', 'few POOL_TIMEOUT']);
    expect(timeouts).toHaveBeenCalledTimes(2);
  });
});
