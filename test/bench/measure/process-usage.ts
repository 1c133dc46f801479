import { readFile } from 'node:fs/promises';

/** What a process and its children have used until now, as Linux counts. */
export interface Usage {
  readonly cpuMs: number;
  /** In memory at the moment. */
  readonly rssBytes: number;
}

/** Linux counts in hundredths of a second, whatever its own clock does. */
const TICK_MS = 10;
const PAGE_BYTES = 4_096;

export async function usageOf(pid: number): Promise<Usage> {
  const [stat, children] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'),
  ]);
  // The program's name, in brackets, may hold anything. Behind it, from the third field on:
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [userTicks = 0, systemTicks = 0] = fields.slice(11);
  const own = { cpuMs: (userTicks + systemTicks) * TICK_MS, rssBytes: (fields[21] ?? 0) * PAGE_BYTES };
  const others = await Promise.all(
    children
      .split(' ')
      .filter(Boolean)
      .map((child) => usageOf(Number(child))),
  );
  return others.reduce(
    (sum, usage) => ({ cpuMs: sum.cpuMs + usage.cpuMs, rssBytes: sum.rssBytes + usage.rssBytes }),
    own,
  );
}
