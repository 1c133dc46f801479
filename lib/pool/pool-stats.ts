import type { PoolOptions } from './pool-options.ts';
import type { SlotState } from './slots/slot.ts';

/** The counts in one line, worded as SQLAlchemy's `Pool.status()` words it. */
export function statusLine({ size, idle, overflow, checkedOut }: PoolStats): string {
  const [kept, used] = [`Connections in pool: ${idle}`, `Current Checked out connections: ${checkedOut}`];
  return `Pool size: ${size}  ${kept} Current Overflow: ${overflow} ${used}`;
}

/** What a pool is doing. */
export interface PoolStats {
  readonly size: number;
  readonly maxOverflow: number;
  /** As the server counts them: opening and closing ones too. */
  readonly connections: number;
  readonly idle: number;
  readonly checkedOut: number;
  readonly opening: number;
  readonly closing: number;
  /** Connections above `size`. */
  readonly overflow: number;
  readonly waiting: number;
  readonly oldestWaitMs: number;
  /** How often every connection was declared unusable. */
  readonly generation: number;
  /** Calls are held in line until somebody resumes the pool. */
  readonly paused: boolean;
}

interface CountedSlots {
  readonly size: number;
  readonly generation: number;
  count(place: SlotState): number;
}

interface Line {
  readonly size: number;
  readonly oldestWaitMs: number;
}

export function poolStats(
  { size, maxOverflow }: PoolOptions,
  slots: CountedSlots,
  line: Line,
  paused: boolean,
): PoolStats {
  return {
    size,
    maxOverflow,
    connections: slots.size,
    idle: slots.count('idle'),
    checkedOut: slots.count('checked-out'),
    opening: slots.count('opening'),
    closing: slots.count('closing'),
    overflow: Math.max(0, slots.size - size),
    waiting: line.size,
    oldestWaitMs: line.oldestWaitMs,
    generation: slots.generation,
    paused,
  };
}
