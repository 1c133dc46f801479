import type { PoolStats } from './pool-stats.ts';

/** The counts in one line, worded as SQLAlchemy's `Pool.status()` words it. */
export function statusLine({ size, idle, overflow, checkedOut }: PoolStats): string {
  const [kept, used] = [`Connections in pool: ${idle}`, `Current Checked out connections: ${checkedOut}`];
  return `Pool size: ${size}  ${kept} Current Overflow: ${overflow} ${used}`;
}
