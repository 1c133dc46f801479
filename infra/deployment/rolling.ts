/** How many tasks there are, and how many more while a deployment replaces them. */
export interface TaskCounts {
  readonly minTasks: number;
  readonly maxTasks: number;
  /** Of the tasks wanted, rounded down: those that may run or start at a time. All wanted ones stay healthy. */
  readonly deployMaxPercent: number;
}

function runningAtMost(tasks: number, deployMaxPercent: number): number {
  return Math.floor((tasks * deployMaxPercent) / 100);
}

/**
 * Tasks that may hold connections at a time: those that run while a deployment replaces all of them, and those that
 * it has stopped but that still drain, which ECS does not count.
 */
export function peakTasks({ maxTasks, deployMaxPercent }: TaskCounts): number {
  return runningAtMost(maxTasks, deployMaxPercent) + maxTasks;
}

/** A deployment that may start no task beside the wanted ones, and stop none of them, never ends. */
export function rollProblems({ minTasks, maxTasks, deployMaxPercent }: TaskCounts): string[] {
  if (minTasks > maxTasks) {
    return [`minTasks: found ${minTasks}, allowed at most maxTasks, which is ${maxTasks}`];
  }
  // Scaling may have left any number of them when a deployment comes.
  const numbers = Array.from({ length: maxTasks - minTasks + 1 }, (_, index) => minTasks + index);
  const stuckAt = numbers.find((tasks) => runningAtMost(tasks, deployMaxPercent) <= tasks);
  if (stuckAt === undefined) return [];
  const least = Math.max(...numbers.map((tasks) => Math.ceil(((tasks + 1) * 100) / tasks)));
  return [
    `deployMaxPercent: found ${deployMaxPercent}, with which no deployment can replace ${stuckAt} running tasks: ` +
      `${deployMaxPercent} % of ${stuckAt}, rounded down, is ${runningAtMost(stuckAt, deployMaxPercent)}, and none may ` +
      `stop before another has started. Allowed at least ${least}`,
  ];
}
