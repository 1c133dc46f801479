import { access, mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What the processes of a group may use together, like those of a container. */
export interface TaskSize {
  readonly vcpus: number;
  readonly memoryMib: number;
}

/** A control group of Linux. */
export interface ControlGroup {
  /** The command, run in the group from its first instruction on, as the process that is started. */
  entering(command: readonly string[]): readonly string[];
  /** Once its last process has ended. */
  remove(): Promise<void>;
}

const ROOT = '/sys/fs/cgroup';
/** As Docker and Fargate have it: who has used up its share waits for the next period. */
const PERIOD_US = 100_000;
/** Its first arguments, up to `--`, are the lists of processes to join. */
const ENTER = 'while [ "$1" != -- ]; do echo $$ >"$1" || exit; shift; done; shift; exec "$@"';
const REMOVE_ATTEMPTS = 20;
const REMOVE_PAUSE_MS = 50;

/**
 * Makes a group whose processes get no more than `size`.
 *
 * @throws {Error} this process may not, or the system has no controllers for CPU and memory.
 */
export async function makeControlGroup(name: string, { vcpus, memoryMib }: TaskSize): Promise<ControlGroup> {
  const quotaUs = String(vcpus * PERIOD_US);
  const bytes = String(memoryMib * 2 ** 20);
  if (await exists(join(ROOT, 'cgroup.controllers'))) {
    await writeFile(join(ROOT, 'cgroup.subtree_control'), '+cpu +memory');
    return await makeGroup([
      [join(ROOT, name), { 'cpu.max': `${quotaUs} ${PERIOD_US}`, 'memory.max': bytes }],
    ]);
  }
  return await makeGroup([
    [join(ROOT, 'cpu', name), { 'cpu.cfs_period_us': String(PERIOD_US), 'cpu.cfs_quota_us': quotaUs }],
    [join(ROOT, 'memory', name), { 'memory.limit_in_bytes': bytes }],
  ]);
}

/** @param limits By folder, one for each hierarchy: files and what stands in them. */
async function makeGroup(
  limits: readonly (readonly [folder: string, files: Readonly<Record<string, string>>])[],
): Promise<ControlGroup> {
  const folders = limits.map(([folder]) => folder);
  const remove = async () => {
    for (const folder of folders) await removeGroup(folder);
  };
  try {
    for (const [folder, files] of limits) {
      await mkdir(folder);
      for (const [file, content] of Object.entries(files)) await writeFile(join(folder, file), content);
    }
  } catch (error) {
    await remove().catch(() => undefined);
    throw error;
  }
  const lists = folders.map((folder) => join(folder, 'cgroup.procs'));
  return {
    entering: (command) => ['sh', '-c', ENTER, 'sh', ...lists, '--', ...command],
    remove,
  };
}

/** A process that has just ended may still be in it. */
async function removeGroup(folder: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rmdir(folder);
      return;
    } catch (error) {
      if (attempt === REMOVE_ATTEMPTS) throw error;
      await delay(REMOVE_PAUSE_MS);
    }
  }
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}
