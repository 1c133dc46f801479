/** A timer that fires later than this was held up: the event loop was busy. */
const LATE_MS = 50;
/** What a late one waits beyond the look at the sockets, for answers that need another round trip. */
const LONGEST_GRACE_MS = 100;

/**
 * Calls back once the sockets have been looked at since a time was over: what came in while this process was too busy
 * to look is not late. Where the process was busy, what comes of it gets a moment too.
 *
 * @param dueAtMs On the clock of `performance.now()`.
 */
export function beforeRefusal(dueAtMs: number, refuse: () => void): void {
  const lateMs = performance.now() - dueAtMs;
  if (lateMs < LATE_MS) setImmediate(refuse);
  else setTimeout(() => setImmediate(refuse), Math.min(lateMs, LONGEST_GRACE_MS));
}
