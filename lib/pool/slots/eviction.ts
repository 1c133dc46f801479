import type { Connection } from '../connection.ts';
import type { ServerConnectionLimit } from '../connects/server-limit.ts';
import type { CloseReason } from '../pool-events.ts';
import type { PoolSizing } from '../sizing.ts';
import type { Slot } from './slot.ts';
import type { Slots } from './slots.ts';

/** Why a free connection must go: it is stale, or nobody waits for it and the pool has its size without it. */
export function evictionReason<C extends Connection>(
  slot: Slot<C>,
  slots: Slots<C>,
  server: ServerConnectionLimit,
  { hasWaiters, isOpen, keptSize }: PoolSizing<C>,
  nowMs: number,
): CloseReason | undefined {
  const stale = slots.staleReason(slot, hasWaiters, nowMs);
  if (stale !== undefined) return stale;
  // A connection just opened, pinged or reset for a waiter serves that waiter before it is yielded.
  const mayYield = !hasWaiters || slot.state === 'checked-out';
  if (mayYield && server.shouldYield(slots, hasWaiters)) return 'yielded';
  if (hasWaiters) return undefined;
  if (!isOpen) return 'drained';
  const others = slots.count('idle') + slots.count('resetting');
  return others - (slot.state === 'resetting' ? 1 : 0) >= keptSize ? 'overflow' : undefined;
}
