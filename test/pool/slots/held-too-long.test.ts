import { expect, test, vi } from 'vitest';
import { buildPool, guardPools } from '../support/open-pool-guard.ts';

guardPools();

function watched() {
  const built = buildPool({ heldTooLongMs: 10_000 });
  const told: unknown[] = [];
  built.pool.events.on('held_too_long', (event) => told.push(['held_too_long', event]));
  built.pool.events.on('late_checkin', (event) => told.push(['late_checkin', event]));
  return { ...built, told };
}

test('a connection held for heldTooLongMs is told of once, with caller and purpose, and again when it is back', async () => {
  const { pool, told } = watched();
  const pooled = await pool.checkout({ caller: 'orders', purpose: 'request-7' });
  await vi.advanceTimersByTimeAsync(9_999);
  expect(told).toEqual([]);
  await vi.advanceTimersByTimeAsync(50_001);
  const borrower = { caller: 'orders', purpose: 'request-7' };
  expect(told).toEqual([['held_too_long', { ...borrower, heldMs: 10_000 }]]);
  pooled.checkin();
  expect(told.slice(1)).toEqual([['late_checkin', { ...borrower, heldMs: 60_000 }]]);
});

test('a connection that is back in time is not told of, whoever has it next', async () => {
  const { pool, told } = watched();
  for (let round = 0; round < 5; round += 1) {
    const pooled = await pool.checkout({ caller: `caller-${round}` });
    await vi.advanceTimersByTimeAsync(9_000);
    pooled.checkin();
  }
  expect(told).toEqual([]);
});
