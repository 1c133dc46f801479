import type { Workload } from '../load/job.ts';
import type { Subject } from '../subjects/subject.ts';

const CLIENTS = 64;

/** Lets a subject work for a while, unmeasured: Node.js compiles what runs often. */
export async function runIn(subject: Subject, workload: Workload, durationMs: number): Promise<void> {
  await subject.run({ mode: 'closed', workload, clients: CLIENTS, warmUpMs: 0, durationMs });
}
