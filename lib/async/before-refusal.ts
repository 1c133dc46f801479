/** If a timer fires later than this, the event loop was busy. */
const LATE_MS = 50;
/** How long a late timer waits for answers that need another round trip. */
const LONGEST_GRACE_MS = 100;

/**
 * Calls back after pending I/O was handled once more: what arrived while this process was busy is not late. After a busy
 * period it waits a moment longer.
 *
 * @param dueAtMs On the clock of `performance.now()`.
 */
export function beforeRefusal(dueAtMs: number, refuse: () => void): void {
  const lateMs = performance.now() - dueAtMs;
  if (lateMs < LATE_MS) setImmediate(refuse);
  else setTimeout(() => setImmediate(refuse), Math.min(lateMs, LONGEST_GRACE_MS));
}
