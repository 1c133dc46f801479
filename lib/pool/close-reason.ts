import type { Connection } from './connection.ts';
import type { PoolEntry } from './pool-entry.ts';
import type { CloseReason } from './pool-events.ts';
import type { ServerCap } from './server-cap.ts';
import type { Slots } from './slots.ts';

/** What the pool makes of a connection that is free. */
interface Demand {
  /** Somebody in line waits for it. */
  readonly isWanted: boolean;
  /** The pool takes work. */
  readonly isOpen: boolean;
  /** Connections that are kept. */
  readonly size: number;
  readonly nowMs: number;
}

/** Why a free connection must go: it is stale, or nobody waits for it and the pool has its size without it. */
export function closeReason<C extends Connection>(
  entry: PoolEntry<C>,
  slots: Slots<C>,
  server: ServerCap,
  { isWanted, isOpen, size, nowMs }: Demand,
): CloseReason | undefined {
  const stale = entry.staleReason(slots.generation, isWanted, nowMs);
  if (stale !== undefined) return stale;
  // What was opened, pinged or reset for somebody serves him first.
  const mayYield = !isWanted || entry.place === 'checked-out';
  if (mayYield && server.mustYield(slots, isWanted)) return 'yielded';
  if (isWanted) return undefined;
  if (!isOpen) return 'drained';
  const others = slots.count('idle') + slots.count('resetting');
  return others - (entry.place === 'resetting' ? 1 : 0) >= size ? 'overflow' : undefined;
}
