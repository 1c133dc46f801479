import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LogOutput } from '../../../lib/broker/observability/log-output.ts';

let output: PassThrough;
let log: LogOutput;
let chunks: string[];

beforeEach(() => {
  vi.useFakeTimers();
  output = new PassThrough();
  chunks = [];
  output.on('data', (chunk) => chunks.push(String(chunk)));
  log = new LogOutput(output);
});

afterEach(() => vi.useRealTimers());

test('lines that come together are written together, 20 ms after the first', () => {
  log.write('a\n');
  vi.advanceTimersByTime(19);
  log.write('b\n');
  expect(chunks).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(chunks).toEqual(['a\nb\n']);
  log.write('c\n');
  vi.advanceTimersByTime(20);
  expect(chunks).toEqual(['a\nb\n', 'c\n']);
});

test('many lines are not kept waiting', () => {
  const line = `${'x'.repeat(999)}\n`;
  for (let n = 0; n < 40; n += 1) log.write(line);
  expect(chunks).toEqual([line.repeat(17), line.repeat(17)]);
  log.flush();
  expect(chunks.join('')).toBe(line.repeat(40));
});

test('an output that breaks is no reason to stop', () => {
  log.write('a\n');
  output.emit('error', new Error('EPIPE'));
  expect(() => log.flush()).not.toThrow();
});
