import { onTestFinished, vi } from 'vitest';

/**
 * Until the end of the test no time passes for timers and `performance.now()`, but for what
 * `vi.advanceTimersByTimeAsync` lets pass. Sockets go on: a slow machine changes nothing.
 */
export function holdClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
}
