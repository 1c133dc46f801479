import { describe, expect, test } from 'vitest';
import { peakTasks, rollProblems } from '../../../infra/deployment/rolling.ts';

const counts = (minTasks: number, maxTasks: number, deployMaxPercent: number) => ({
  minTasks,
  maxTasks,
  deployMaxPercent,
});

describe('the peak counts those that run in a deployment and those that still drain', () => {
  test.each([
    [counts(1, 1, 200), 3],
    [counts(1, 2, 200), 6],
    [counts(2, 4, 150), 10],
    [counts(3, 3, 134), 7],
    [counts(2, 5, 150), 12],
  ])('%j: %i', (tasks, peak) => {
    expect(peakTasks(tasks)).toBe(peak);
  });
});

test.each([counts(1, 1, 200), counts(2, 2, 150), counts(3, 3, 134), counts(4, 4, 125), counts(2, 10, 150)])(
  'a deployment can replace %j',
  (tasks) => {
    expect(rollProblems(tasks)).toEqual([]);
  },
);

describe('a deployment that can start nothing is refused, with what would do', () => {
  test.each([
    [counts(1, 1, 150), 1, 200],
    [counts(2, 2, 134), 2, 150],
    [counts(3, 3, 125), 3, 134],
    // Scaling may leave two running.
    [counts(2, 8, 125), 2, 150],
  ])('%j', (tasks, stuckAt, least) => {
    expect(rollProblems(tasks)).toEqual([expect.stringContaining('no deployment can replace')]);
    expect(rollProblems(tasks)[0]).toMatch(
      new RegExp(`replace ${stuckAt} running tasks: .*Allowed at least ${least}$`),
    );
  });
});

test('what is refused as too little would do', () => {
  for (let tasks = 1; tasks <= 30; tasks += 1) {
    const least = Math.ceil(((tasks + 1) * 100) / tasks);
    expect(rollProblems(counts(tasks, tasks, least)), String(tasks)).toEqual([]);
    expect(rollProblems(counts(tasks, tasks, least - 1)), String(tasks)).not.toEqual([]);
  }
});

test('fewer at the most than at the least are refused', () => {
  expect(rollProblems(counts(3, 2, 200))).toEqual([
    'minTasks: found 3, allowed at most maxTasks, which is 2',
  ]);
});
