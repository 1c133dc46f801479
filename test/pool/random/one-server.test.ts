import { expect, test, vi } from 'vitest';
import { Deadline } from '../../../lib/async/deadline.ts';
import { ServerConnectionLimit } from '../../../lib/pool/connects/server-limit.ts';
import { fc } from '../../support/random.ts';
import { buildUnguardedPool, guardPools } from '../support/open-pool-guard.ts';
import { RandomCallers } from './support/random-callers.ts';
import { anyOptions, anyStep, HAPPENINGS } from './support/random-steps.ts';

guardPools();

// A failure prints its seed and the shortest run that shows it.
test('whatever happens to two pools on one server: it never has more connections than it bears, and no slot is lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyOptions,
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.tuple(anyStep, fc.nat({ max: 1 })), { minLength: 20, maxLength: 80 }),
      async (options, maxConnections, steps) => {
        vi.clearAllTimers();
        const server = new ServerConnectionLimit(maxConnections);
        const pools = [buildUnguardedPool(options, server), buildUnguardedPool(options, server)];
        const parties = pools.map(({ pool, connector }) => new RandomCallers(pool, connector, options));
        const check = () => {
          for (const party of parties) party.check();
          const counted = pools.reduce((sum, { connector }) => sum + connector.counted, 0);
          expect(counted).toBeLessThanOrEqual(maxConnections - server.free);
          expect(server.free).toBeGreaterThanOrEqual(0);
        };
        for (const [{ happens, pick, thenPassMs }, which] of steps) {
          const party = parties[which];
          if (party !== undefined) HAPPENINGS[happens](party, pick);
          check();
          await vi.advanceTimersByTimeAsync(thenPassMs);
          check();
        }
        const draining = Promise.all(
          pools.map(async ({ pool }) => {
            await pool.drain(Deadline.after(2_000));
          }),
        );
        await vi.advanceTimersByTimeAsync(2_000);
        await draining;
        for (const { connector } of pools) connector.recover();
        for (const party of parties) party.checkinAll();
        await vi.advanceTimersByTimeAsync(10_000);
        check();
        expect(server.free).toBe(maxConnections);
        expect(vi.getTimerCount()).toBe(0);
      },
    ),
    { numRuns: 200 },
  );
}, 60_000);
