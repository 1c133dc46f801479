import type { Logger } from 'pino';
import type { PoolRegistry } from './pool-registry.ts';
import { roundMs } from './round-ms.ts';

/** Logs what an operator must know of the pools and no request tells. */
export function logPools(pools: PoolRegistry, log: Logger): void {
  for (const { alias, pool } of pools.all) {
    pool.events.on('held_too_long', ({ caller, purpose, heldMs }) => {
      log.warn(
        { database: alias, caller, reqId: purpose, heldMs: roundMs(heldMs) },
        'a connection is held for too long',
      );
    });
    pool.events.on('late_checkin', ({ caller, purpose, heldMs }) => {
      log.warn(
        { database: alias, caller, reqId: purpose, heldMs: roundMs(heldMs) },
        'a connection that was held for too long came back',
      );
    });
  }
}
