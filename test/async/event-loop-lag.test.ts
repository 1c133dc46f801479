import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EventLoopLag } from '../../lib/async/event-loop-lag.ts';

let nowMs = 0;
let endOfRound: () => void = () => undefined;

beforeEach(() => {
  nowMs = 1_000;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  vi.stubGlobal('setImmediate', (callback: () => void) => {
    endOfRound = callback;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A round that begins so long after the one before has ended, and takes so long. What it may be late at its end. */
function round(lag: EventLoopLag, idleMs: number, busyMs: number): number {
  nowMs += idleMs;
  lag.mostMs(nowMs);
  nowMs += busyMs;
  const lateMs = lag.mostMs(nowMs);
  endOfRound();
  return lateMs;
}

test('what a loop that was idle finds has just come in', () => {
  const lag = new EventLoopLag();
  expect(round(lag, 50, 0)).toBe(0);
  expect(round(lag, 50, 0)).toBe(0);
});

test('what it finds right behind a busy round may have come in since that round began', () => {
  const lag = new EventLoopLag();
  round(lag, 50, 10);
  expect(round(lag, 0.1, 0)).toBeCloseTo(10.1);
});

test('what it handles late in a round has waited for so long too', () => {
  const lag = new EventLoopLag();
  expect(round(lag, 50, 7)).toBe(7);
  expect(round(lag, 0.1, 3)).toBeCloseTo(10.1);
});
