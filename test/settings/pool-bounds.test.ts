import { describe, expect, test } from 'vitest';
import { parseSettings } from '../../lib/settings/parse-settings.ts';
import { documentWith, problemsWith } from './support/documents.ts';

test('[3] a pool that says nothing is as large and as patient as django-conn-pool is', () => {
  expect(parseSettings(documentWith()).databases.default?.pool).toMatchObject({
    size: 10,
    maxOverflow: 10,
    checkoutTimeoutMs: 5_000,
    recycleAfterMs: 119_000,
  });
});

describe('is refused at the start, with the reason:', () => {
  test.each<[string, object, string]>([
    [
      '[6] an unlimited overflow',
      { maxOverflow: -1 },
      'maxOverflow: found -1, allowed an integer of at least 0',
    ],
    ['[7] an unlimited size', { size: 0 }, 'size: found 0, allowed an integer of at least 1'],
    [
      '[9] an overflow below -1',
      { maxOverflow: -5 },
      'maxOverflow: found -5, allowed an integer of at least 0',
    ],
    ['[10] a negative size', { size: -5 }, 'size: found -5, allowed an integer of at least 1'],
    [
      '[10] a time-out that is no number',
      { checkoutTimeoutMs: 'soon' },
      'checkoutTimeoutMs: found a string, allowed an integer of at least 1',
    ],
    [
      '[10] a negative age',
      { recycleAfterMs: -119_000 },
      'recycleAfterMs: found -119000, allowed an integer of at least 1',
    ],
    ['[12] a wait without end', { checkoutTimeoutMs: null }, 'checkoutTimeoutMs: found nothing, allowed'],
    [
      '[49] an age that is off',
      { recycleAfterMs: -1 },
      'recycleAfterMs: found -1, allowed an integer of at least 1',
    ],
    [
      '[81] a reset that does not exist',
      { resetOnCheckin: 'commit' },
      'resetOnCheckin: found "commit", allowed auto, always, rollback',
    ],
    [
      'no read at all in a group',
      { maxPipelined: 0 },
      'maxPipelined: found 0, allowed an integer of at least 1',
    ],
    [
      'too many reads in a group',
      { maxPipelined: 65 },
      'maxPipelined: found 65, allowed an integer of at most 64',
    ],
    [
      'reads that take no time',
      { pipelineFasterThanMs: 0 },
      'pipelineFasterThanMs: found 0, allowed an integer of at least 1',
    ],
  ])('%s', (_, pool, problem) => {
    expect(problemsWith({ pool })).toEqual([expect.stringContaining(`databases.default.pool.${problem}`)]);
  });
});
