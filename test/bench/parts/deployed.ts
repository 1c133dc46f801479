import { setTimeout as delay } from 'node:timers/promises';
import type { Account } from '../../../infra/local/database/database-admin.ts';
import { compiledPath } from '../compiled.ts';
import type { BenchDatabase } from '../database.ts';
import { BY_KEY, type Outcome } from '../load/job.ts';
import type { LoadProcess } from '../load/load-process.ts';
import { type ControlGroup, makeControlGroup, type TaskSize } from '../measure/control-group.ts';
import { usageOf } from '../measure/process-usage.ts';
import type { Plan } from '../plan.ts';
import { BROKER_COMMAND, startBroker } from '../subjects/broker.ts';
import { type ServiceProcess, startServiceProcess } from '../subjects/service-process.ts';
import { databaseEnvironment } from '../subjects/subject.ts';

/** The smallest that Fargate has with so many vCPUs, and containers with as little memory elsewhere. */
export const TASK_SIZES: readonly TaskSize[] = [
  { vcpus: 0.25, memoryMib: 512 },
  { vcpus: 0.5, memoryMib: 512 },
  { vcpus: 0.5, memoryMib: 1_024 },
  { vcpus: 1, memoryMib: 512 },
  { vcpus: 1, memoryMib: 2_048 },
];

const MOST_CLIENTS = 64;
const CLIENTS = [8, MOST_CLIENTS];
/** What it takes until most is compiled. */
const RUNNING_IN_CPU_MS = 2_500;
const HEALTH_INTERVAL_MS = 100;

/** Something that runs as a task. */
export interface Deployable {
  readonly title: string;
  start(account: Account, group: ControlGroup): Promise<ServiceProcess>;
}

/** One of them in a task of one size, under one load. */
export interface Deployed {
  readonly title: string;
  readonly size: TaskSize;
  readonly clients: number;
  readonly turns: readonly DeployedTurn[];
  /** From the start of the process until it was ready. */
  readonly startsMs: readonly number[];
}

export interface DeployedTurn extends Outcome {
  /** Of the process, for each operation. */
  readonly cpuMs: number;
  /** The longest that a health check took meanwhile. */
  readonly healthMs: number;
}

interface Task extends ServiceProcess {
  readonly title: string;
  readonly startsMs: readonly number[];
}

export function deployableFloor({ database: { server } }: BenchDatabase): Deployable {
  const command = [process.execPath, compiledPath('floor')];
  return {
    title: 'floor',
    start: async (account, group) =>
      await startServiceProcess(group.entering(command), databaseEnvironment(server, account)),
  };
}

export function deployableBroker(
  { database: { server } }: BenchDatabase,
  title = 'broker',
  command = BROKER_COMMAND,
): Deployable {
  return {
    title,
    start: async (account, group) => await startBroker(server, account, { command: group.entering(command) }),
  };
}

/**
 * All of them in tasks of each size, which take turns.
 *
 * @throws {Error} this process may make no control groups.
 */
export async function runDeployed(
  bench: BenchDatabase,
  load: LoadProcess,
  subjects: readonly Deployable[],
  sizes: readonly TaskSize[],
  plan: Plan,
): Promise<Deployed[]> {
  const accounts = await Promise.all(subjects.map((_, index) => bench.account(`deployed${index}`)));
  const results: Deployed[] = [];
  for (const size of sizes) {
    console.error(`as deployed: ${size.vcpus} vCPU, ${size.memoryMib} MiB ...`);
    const tasks: Task[] = [];
    try {
      for (const [index, account] of accounts.entries()) {
        const subject = subjects[index];
        if (subject !== undefined) tasks.push(await startTask(subject, account, size, plan.taskStarts));
      }
      results.push(...(await takeTurns(load, tasks, size, plan)));
    } finally {
      for (const task of tasks) await task.stop();
    }
  }
  return results;
}

async function takeTurns(
  load: LoadProcess,
  tasks: readonly Task[],
  size: TaskSize,
  plan: Plan,
): Promise<Deployed[]> {
  for (const { url } of tasks) await ask(load, url, MOST_CLIENTS, 0, RUNNING_IN_CPU_MS / size.vcpus);
  const measured = tasks.flatMap((task) =>
    CLIENTS.map((clients) => {
      const { title, startsMs } = task;
      return { task, clients, result: { title, size, clients, startsMs, turns: [] as DeployedTurn[] } };
    }),
  );
  for (let turn = 0; turn < plan.taskTurns; turn += 1) {
    // There and back, so that what grows or fades in the meantime is nobody's gain.
    for (const { task, clients, result } of turn % 2 === 0 ? measured : measured.toReversed())
      result.turns.push(await takeTurn(load, task, clients, plan));
  }
  return measured.map(({ result }) => result);
}

/** Ours beside the floor. Nothing where there can be no control groups. */
export async function deployedIfPossible(
  bench: BenchDatabase,
  load: LoadProcess,
  plan: Plan,
): Promise<Deployed[]> {
  try {
    await (await makeControlGroup(`conn-pool-${process.pid}`, { vcpus: 1, memoryMib: 64 })).remove();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`Without tasks of the sizes of Fargate, for control groups cannot be had here: ${reason}`);
    return [];
  }
  return await runDeployed(bench, load, [deployableFloor(bench), deployableBroker(bench)], TASK_SIZES, plan);
}

/** Started again and again; the last one stays. */
async function startTask(
  { title, start }: Deployable,
  account: Account,
  size: TaskSize,
  starts: number,
): Promise<Task> {
  const group = await makeControlGroup(`conn-pool-${account.user}-${process.pid}`, size);
  const startsMs: number[] = [];
  try {
    for (;;) {
      const service = await start(account, group);
      startsMs.push(service.startMs);
      const stop = async () => {
        await service.stop();
        await group.remove();
      };
      if (startsMs.length >= starts) return { ...service, title, startsMs, stop };
      await service.stop();
    }
  } catch (error) {
    await group.remove();
    throw error;
  }
}

async function takeTurn(
  load: LoadProcess,
  { pid, url }: Task,
  clients: number,
  { warmUpMs, taskMs }: Plan,
): Promise<DeployedTurn> {
  const end = new AbortController();
  const before = await usageOf(pid);
  const checking = checkHealth(url, end.signal);
  const outcome = await ask(load, url, clients, warmUpMs, taskMs);
  end.abort();
  const healthMs = await checking;
  const after = await usageOf(pid);
  return { ...outcome, healthMs, cpuMs: (after.cpuMs - before.cpuMs) / Math.max(1, outcome.operations) };
}

/** As a load balancer does: a connection each time. Returns the longest that an answer took. */
async function checkHealth(url: string, signal: AbortSignal): Promise<number> {
  let longestMs = 0;
  while (!signal.aborted) {
    await delay(HEALTH_INTERVAL_MS);
    const sinceMs = performance.now();
    const reply = await fetch(`${url}/healthz`, { headers: { connection: 'close' } });
    if (!reply.ok) throw new Error(`health check: ${reply.status}`);
    await reply.arrayBuffer();
    longestMs = Math.max(longestMs, performance.now() - sinceMs);
  }
  return longestMs;
}

async function ask(
  load: LoadProcess,
  url: string,
  clients: number,
  warmUpMs: number,
  durationMs: number,
): Promise<Outcome> {
  return await load.run({ mode: 'closed', url, workload: BY_KEY, clients, warmUpMs, durationMs });
}
