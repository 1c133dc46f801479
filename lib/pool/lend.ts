import type { Connection } from './connection.ts';
import type { Borrower } from './loan.ts';
import type { PoolEntry } from './pool-entry.ts';
import type { PoolEvents } from './pool-events.ts';
import { PooledConnection } from './pooled-connection.ts';

/** Notes who has the slot's connection until it comes back, when `takeBack` is called, and tells observers of both. */
export function lend<C extends Connection>(
  entry: PoolEntry<C>,
  borrower: Borrower,
  waitedMs: number,
  events: PoolEvents,
  takeBack: () => void,
): PooledConnection<C> {
  const loan = { borrower, sinceMs: performance.now(), isOverdue: false };
  entry.loan = loan;
  events.emit('checkout', { waitedMs });
  const giveBack = () => {
    const heldMs = performance.now() - loan.sinceMs;
    entry.loan = undefined;
    entry.markUsed();
    events.emit('checkin', { heldMs });
    if (loan.isOverdue) events.emit('late_checkin', { heldMs, ...borrower });
    takeBack();
  };
  return new PooledConnection(entry.connection, waitedMs, giveBack, () => events.emit('double_checkin', {}));
}
