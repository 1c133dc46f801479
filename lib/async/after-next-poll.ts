/**
 * Calls back once the event loop has polled its sockets: what arrived meanwhile, as while a function was frozen, is then
 * known. The first turn may only finish a poll that began before.
 */
export function afterNextPoll(callback: () => void): void {
  setImmediate(() => setImmediate(callback));
}
