import { expect, test } from 'vitest';
import { CancelSource } from '../lib/async/cancellation.ts';
import { atOnce, inTurns, type Parts } from '../lib/async/turns.ts';

function* counted(name: string, parts: number, log: string[]): Parts<string> {
  for (let part = 1; part < parts; part += 1) {
    log.push(`${name}${part}`);
    yield;
  }
  log.push(`${name}${parts}`);
  return name;
}

test('each turn of the event loop does one part of one work', async () => {
  const log: string[] = [];
  let isDone = false;
  const turn = (): void => {
    log.push('|');
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const results = await Promise.all([inTurns(counted('a', 3, log)), inTurns(counted('b', 2, log))]);
  isDone = true;
  expect(results).toEqual(['a', 'b']);
  const parts = log.filter((entry) => entry !== '|');
  expect(parts).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
  expect(log.join('')).not.toMatch(/[ab]\d[ab]/);
});

test('a work that fails rejects with its failure', async () => {
  const failing = function* (): Parts<never> {
    yield;
    throw new Error('no');
  };
  await expect(inTurns(failing())).rejects.toThrow('no');
});

test('a work that nobody needs any more is left at its next pause', async () => {
  const log: string[] = [];
  const stop = new CancelSource();
  const work = inTurns(counted('a', 5, log), stop);
  setImmediate(() => stop.cancel(new Error('gone')));
  await expect(work).rejects.toThrow('gone');
  expect(log.length).toBeLessThan(5);
});

test('a small work is done without a pause', () => {
  expect(atOnce(counted('a', 3, []))).toBe('a');
});
