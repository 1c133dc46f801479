import type { Logger } from 'pino';
import type { EndReason } from '../transactions/lease-end.ts';
import type { LeaseRegistry } from '../transactions/lease-registry.ts';

/** Ends that the caller requested: the log lines of its requests show them. */
const REQUESTED: ReadonlySet<EndReason> = new Set(['committed', 'rolled_back']);

/** Logs the ends of transactions that no request caused. */
export function logLeases(leases: LeaseRegistry, log: Logger): void {
  leases.onEnd(({ identity: { alias, caller, purpose } }, reason) => {
    if (REQUESTED.has(reason)) return;
    log.info({ database: alias, caller, reqId: purpose, reason }, 'a transaction ended, not by its caller');
  });
}
