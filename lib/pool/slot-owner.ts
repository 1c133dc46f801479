import type { Connection } from './connection.ts';
import type { GateOwner } from './connects/connect-limiter.ts';
import type { Slot } from './slots/slot.ts';

/** Who decides what becomes of a slot. */
export interface SlotOwner<C extends Connection> extends GateOwner {
  /** The slot's connection is open, and reset unless it `isUsed`: lend it, keep it or close it. */
  onReady(slot: Slot<C>, nowMs: number): void;
  /** There is room for one more connection, or a reason to try again. */
  onRoom(): void;
  /** Connecting fails and nothing is open. */
  onDown(error: unknown): void;
}
