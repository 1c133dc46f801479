import type { Connection } from './connection.ts';
import type { Demand } from './demand.ts';
import type { PoolEntry } from './pool-entry.ts';
import type { CloseReason } from './pool-events.ts';
import type { ServerCap } from './server-cap.ts';
import type { Slots } from './slots.ts';

/** Why a free connection must go: it is stale, or nobody waits for it and the pool has its size without it. */
export function closeReason<C extends Connection>(
  entry: PoolEntry<C>,
  slots: Slots<C>,
  server: ServerCap,
  { isWanted, isOpen, keptSize }: Demand<C>,
  nowMs: number,
): CloseReason | undefined {
  const stale = slots.staleReason(entry, isWanted, nowMs);
  if (stale !== undefined) return stale;
  // What was opened, pinged or reset for somebody serves him first.
  const mayYield = !isWanted || entry.place === 'checked-out';
  if (mayYield && server.mustYield(slots, isWanted)) return 'yielded';
  if (isWanted) return undefined;
  if (!isOpen) return 'drained';
  const others = slots.count('idle') + slots.count('resetting');
  return others - (entry.place === 'resetting' ? 1 : 0) >= keptSize ? 'overflow' : undefined;
}
