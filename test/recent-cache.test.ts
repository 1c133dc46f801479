import { expect, test } from 'vitest';
import { TwoGenerationCache } from '../lib/collections/two-generation-cache.ts';

test('what is asked for again and again stays, whatever comes in between', () => {
  const cache = new TwoGenerationCache<number>(10);
  cache.set('hot', 1);
  for (let other = 0; other < 1_000; other += 1) {
    cache.set(`other ${other}`, other);
    expect(cache.get('hot')).toBe(1);
  }
});

test.each([1, 4, 5, 6, 9, 10, 11, 15, 999, 1_000])(
  'of %i entries at most ten are kept, the newest, and at least five if there are so many',
  (count) => {
    const cache = new TwoGenerationCache<number>(10);
    for (let key = 0; key < count; key += 1) cache.set(String(key), key);
    // A look makes an entry newer; the oldest first, so that none of those looked at later is dropped for it.
    const newest = Array.from({ length: count }, (_, key) => key).slice(-5);
    const older = Array.from({ length: count }, (_, key) => key).slice(0, -10);
    expect(older.map((key) => cache.get(String(key)))).toEqual(older.map(() => undefined));
    expect(newest.map((key) => cache.get(String(key)))).toEqual(newest);
  },
);
