import type { Logger } from 'pino';
import { BrokerError } from '../../errors.ts';
import type { Database, PoolRegistry } from '../databases/pool-registry.ts';
import { roundMs } from '../requests/sql-request.ts';

/** Checkout timeouts are logged at most this often. */
const REPEAT_MS = 60_000;
/** Reasons for replacing connections that nobody requested. */
const UNEXPECTED: ReadonlySet<string> = new Set(['role_change', 'ping_failed', 'connect_failed']);

/** Logs events of the pools that no request's line shows. */
export function logPools(pools: PoolRegistry, log: Logger): void {
  for (const { alias, pool } of pools.all) {
    logCheckoutTimeouts(alias, pool, log);
    pool.events.on('invalidate', ({ reason }) => {
      const level = UNEXPECTED.has(reason) ? 'warn' : 'info';
      log[level]({ database: alias, reason }, 'the connections to a database are replaced');
    });
    pool.events.on('close', ({ reason, cause }) => {
      log.debug({ database: alias, reason, cause }, 'a connection is closed');
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

/** Logs the first one at once, then at most once a minute the number of those since. */
function logCheckoutTimeouts(alias: string, pool: Database['pool'], log: Logger): void {
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  let calls = 0;
  pool.events.on('timeout', ({ error }) => {
    if (!(error instanceof BrokerError)) return;
    calls += 1;
    const nowMs = performance.now();
    if (nowMs - loggedAtMs < REPEAT_MS) return;
    const { size, maxOverflow, checkedOut, idle, opening, waiting, oldestWaitMs, paused } = pool.stats();
    const figures = { size, maxOverflow, checkedOut, idle, opening, waiting, paused };
    log.warn(
      { database: alias, calls, ...figures, oldestWaitMs: roundMs(oldestWaitMs) },
      'calls time out waiting for a connection',
    );
    loggedAtMs = nowMs;
    calls = 0;
  });
}
