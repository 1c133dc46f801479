/**
 * Lets the event loop look at its sockets once: it then knows of what came in while nobody looked, as in a frozen
 * function. The first turn may only end a look that began before.
 */
export function afterNextPoll(callback: () => void): void {
  setImmediate(() => setImmediate(callback));
}
