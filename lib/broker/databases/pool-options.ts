import type { PoolOptions } from '../../pool/pool-options.ts';
import type { DatabaseSettings } from '../../settings/settings.ts';

/**
 * Far enough below the shortest time after which silent connections are commonly cut off: a `wait_timeout` of 120 s,
 * which the default of `recycleAfterMs` is made for too. AWS's gateways and load balancers wait for 350 s.
 */
const KEEP_ALIVE_MS = 50_000;
/** Every use of a connection is stopped in half of this time. */
const HELD_TOO_LONG_FACTOR = 2;

export function poolOptions(
  { pool, limits, transactions }: DatabaseSettings,
  isShared: boolean,
): PoolOptions {
  return {
    ...pool,
    isShared,
    keepAliveMs: KEEP_ALIVE_MS,
    heldTooLongMs: HELD_TOO_LONG_FACTOR * Math.max(limits.queryTimeoutMs, transactions.lifetimeMs),
  };
}
