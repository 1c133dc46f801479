/**
 * What a task of each CPU size may have of memory, in MiB: from, to, and in steps of.
 *
 * Source: "Task CPU and memory" in Amazon ECS, task definition parameters for Fargate, 2026-11.
 */
const MEMORY_MIB: Readonly<Record<string, readonly [from: number, to: number, step: number]>> = {
  256: [512, 2_048, 512],
  512: [1_024, 4_096, 1_024],
  1024: [2_048, 8_192, 1_024],
  2048: [4_096, 16_384, 1_024],
  4096: [8_192, 30_720, 1_024],
  8192: [16_384, 61_440, 4_096],
  16384: [32_768, 122_880, 8_192],
};

/** In units of a 1,024th of a CPU. */
export const TASK_CPUS: readonly string[] = Object.keys(MEMORY_MIB);

/** Fargate knows pairs of sizes only. */
export function sizeProblems(taskCpu: string, taskMemoryMib: number): string[] {
  const [from = 0, to = 0, stepMib = 1] = MEMORY_MIB[taskCpu] ?? [];
  // The smallest has no 1.5 GB.
  const isStep = taskMemoryMib % stepMib === 0 && !(taskCpu === '256' && taskMemoryMib === 1_536);
  if (isStep && taskMemoryMib >= from && taskMemoryMib <= to) return [];
  const steps = taskCpu === '256' ? '512, 1024 or 2048' : `${from} to ${to} in steps of ${stepMib}`;
  return [`taskMemory: found ${taskMemoryMib}, allowed with taskCpu ${taskCpu} on Fargate: ${steps}`];
}
