import type { Logger } from 'pino';
import { BrokerError } from '../../errors.ts';
import type { Database, PoolRegistry } from '../databases/pool-registry.ts';
import { roundMs } from '../requests/sql-request.ts';

/** Calls that wait in vain are told of at most so often. */
const REPEAT_MS = 60_000;
/** Connections were replaced because of something that nobody asked for. */
const TROUBLES: ReadonlySet<string> = new Set(['role_change', 'ping_failed', 'connect_failed']);

/** Logs what an operator must know of the pools and no request tells. */
export function logPools(pools: PoolRegistry, log: Logger): void {
  for (const { alias, pool } of pools.all) {
    logWaitsInVain(alias, pool, log);
    pool.events.on('invalidate', ({ reason }) => {
      const level = TROUBLES.has(reason) ? 'warn' : 'info';
      log[level]({ database: alias, reason }, 'the connections to a database are replaced');
    });
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

/** At once, then at most once a minute with all that came since. */
function logWaitsInVain(alias: string, pool: Database['pool'], log: Logger): void {
  let toldAtMs = Number.NEGATIVE_INFINITY;
  let calls = 0;
  pool.events.on('timeout', ({ error }) => {
    if (!(error instanceof BrokerError)) return;
    calls += 1;
    const nowMs = performance.now();
    if (nowMs - toldAtMs < REPEAT_MS) return;
    const { size, maxOverflow, checkedOut, idle, opening, waiting, oldestWaitMs, paused } = pool.stats();
    const figures = { size, maxOverflow, checkedOut, idle, opening, waiting, paused };
    log.warn(
      { database: alias, calls, ...figures, oldestWaitMs: roundMs(oldestWaitMs) },
      'calls wait in vain for a connection',
    );
    toldAtMs = nowMs;
    calls = 0;
  });
}
