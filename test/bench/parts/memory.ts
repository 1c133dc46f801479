import { setTimeout as delay } from 'node:timers/promises';
import { BY_KEY } from '../load/job.ts';
import { usageOf } from '../measure/process-usage.ts';
import type { Load, Subject } from '../subjects/subject.ts';

const SETTLING_MS = 1_000;
const SAMPLE_INTERVAL_MS = 1_000;
const CLIENTS = 64;

export type IdleMemory = Readonly<Partial<Record<Subject['name'], number>>>;

/** Bytes in memory before any load. */
export async function idleMemory(subjects: readonly Subject[]): Promise<IdleMemory> {
  await delay(SETTLING_MS);
  const used = subjects.map(async ({ name, pid }) => [name, (await usageOf(pid)).rssBytes] as const);
  return Object.fromEntries(await Promise.all(used));
}

/** Bytes in memory, second by second, while the subject is kept busy. */
export async function soak(subject: Subject, durationMs: number): Promise<readonly number[]> {
  if (durationMs === 0) return [];
  console.error(`${durationMs / 60_000} minutes at full load ...`);
  const load: Load = { mode: 'closed', clients: CLIENTS, workload: BY_KEY, warmUpMs: 0, durationMs };
  const running = subject.run(load);
  const samples: number[] = [];
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs) {
    await delay(SAMPLE_INTERVAL_MS);
    samples.push((await usageOf(subject.pid)).rssBytes);
  }
  await running;
  return samples;
}
