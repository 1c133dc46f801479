import { expect, test, vi } from 'vitest';
import { AnyCancelSignal, CancelSource, throwIfCanceled } from '../../lib/async/cancellation.ts';

test('a stop is raised once, for whoever listens then', () => {
  const stop = new CancelSource();
  const [before, removed, after] = [vi.fn(), vi.fn(), vi.fn()];
  stop.addEventListener('abort', before);
  stop.addEventListener('abort', removed);
  stop.removeEventListener('abort', removed);
  expect(() => throwIfCanceled(stop)).not.toThrow();
  stop.cancel(new Error('first'));
  stop.addEventListener('abort', after);
  stop.cancel(new Error('second'));
  expect([before, removed, after].map(({ mock }) => mock.calls.length)).toEqual([1, 0, 0]);
  expect(() => throwIfCanceled(stop)).toThrow('first');
});

test.each([0, 1])('either of two stops, the one at place %i, is enough', (place) => {
  const stops = [new CancelSource(), new CancelSource()] as const;
  const either = new AnyCancelSignal(...stops);
  const [heard, removed] = [vi.fn(), vi.fn()];
  either.addEventListener('abort', heard);
  either.addEventListener('abort', removed);
  either.removeEventListener('abort', removed);
  expect(either.aborted).toBe(false);
  stops[place]?.cancel('over');
  expect([either.aborted, either.reason]).toEqual([true, 'over']);
  expect(heard).toHaveBeenCalledOnce();
  expect(removed).not.toHaveBeenCalled();
});

test('whoever has left a line or a lease leaves nothing behind in a stop that lasts', () => {
  const lasting = new CancelSource();
  const add = vi.spyOn(lasting, 'addEventListener');
  const remove = vi.spyOn(lasting, 'removeEventListener');
  for (let call = 0; call < 3; call += 1) {
    const either = new AnyCancelSignal(new CancelSource(), lasting);
    const listener = () => undefined;
    either.addEventListener('abort', listener);
    either.removeEventListener('abort', listener);
  }
  expect(remove.mock.calls).toEqual(add.mock.calls);
});
