import { expect, onTestFinished, test } from 'vitest';
import { AnyCancelSignal, CancelSource } from '../../../lib/async/cancellation.ts';
import { Deadline } from '../../../lib/async/deadline.ts';
import { StatementTimer } from '../../../lib/async/interruptible.ts';
import type { ColumnSet } from '../../../lib/mysql/result/column-definitions.ts';
import { RowStream } from '../../../lib/mysql/result/row-stream.ts';

const COLUMNS: ColumnSet = { json: Buffer.from('[]'), encodings: ['text'] };
const ROW = Buffer.from([1, 0x61]);
const LONGER_THAN_IT_IS = Buffer.from([2, 0x61]);

function watchOf(signal?: AnyCancelSignal): StatementTimer {
  const watch = new StatementTimer({ deadline: Deadline.after(60_000), signal });
  onTestFinished(() => watch.end());
  return watch;
}

/** A stream, and what its reader was handed. */
function streamTo(lines: string[]): RowStream {
  const reader = { write: (chunk: Uint8Array) => void lines.push(Buffer.from(chunk).toString()) };
  const wire = { pause: () => undefined, resume: () => undefined };
  return new RowStream(wire, reader, { maxRows: undefined, maxRowBytes: 1_000, stallMs: 60_000 }, watchOf());
}

const add = (stream: RowStream, buffer: Buffer) => stream.addRow({ buffer, offset: 0, end: buffer.length });

test('a stream that breaks off hands on the rows that had come', () => {
  const lines: string[] = [];
  const stream = streamTo(lines);
  stream.startSet(COLUMNS);
  add(stream, ROW);
  stream.breakOff();
  expect(lines.join('')).toBe('{"columns":[]}\n{"rows":[["a"]]}\n');
});

test('of a row that is no row the reader gets nothing', () => {
  const lines: string[] = [];
  const stream = streamTo(lines);
  stream.startSet(COLUMNS);
  add(stream, ROW);
  expect(() => add(stream, LONGER_THAN_IT_IS)).toThrow('ends within a cell');
  stream.breakOff();
  expect(lines).toEqual([]);
});

test('of two signals the one that came first says why a statement was stopped', () => {
  const [caller, lease] = [new CancelSource(), new CancelSource()];
  const watch = watchOf(new AnyCancelSignal(caller, lease));
  lease.cancel('the lease has ended');
  caller.cancel('the caller has gone');
  expect(watch.errorFor?.('unknown')).toBe('the lease has ended');
});
