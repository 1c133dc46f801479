import type { Logger } from 'pino';
import type { EndReason } from '../transactions/lease-end.ts';
import type { LeaseRegistry } from '../transactions/lease-registry.ts';

/** Ends that a caller has asked for; the lines of its requests tell of them. */
const ASKED: ReadonlySet<EndReason> = new Set(['committed', 'rolled_back']);

/** Logs the ends of transactions that no request tells of. */
export function logLeases(leases: LeaseRegistry, log: Logger): void {
  leases.onEnd(({ identity: { alias, caller, purpose } }, reason) => {
    if (ASKED.has(reason)) return;
    log.info({ database: alias, caller, reqId: purpose, reason }, 'a transaction has ended');
  });
}
