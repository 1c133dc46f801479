import type { TestDatabase } from '../../support/database/own-database.ts';
import type { Outcome } from '../load/job.ts';
import type { Load, Subject, SubjectName } from '../subjects/subject.ts';
import { watchConnections } from './connection-watch.ts';
import { usageOf } from './process-usage.ts';

const WATCH_INTERVAL_MS = 50;

/** One subject under one load, once. */
export interface Turn extends Outcome {
  /** The most that the server saw at a time. */
  readonly connections: number;
  /** Of the subject's processes, for each operation. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** All turns of one subject under one load. */
export interface Measured {
  readonly subject: SubjectName;
  readonly load: Load;
  readonly turns: readonly Turn[];
}

export async function takeTurn(database: TestDatabase, subject: Subject, load: Load): Promise<Turn> {
  const before = await usageOf(subject.pid);
  const { result, samples } = await watchConnections(database, subject.user, WATCH_INTERVAL_MS, () =>
    subject.run(load),
  );
  const after = await usageOf(subject.pid);
  return {
    ...result,
    connections: samples.reduce((most, { connections }) => Math.max(most, connections), 0),
    cpuMs: (after.cpuMs - before.cpuMs) / Math.max(1, result.operations),
    rssBytes: after.rssBytes,
  };
}

/** One subject under one load. */
export interface Pairing {
  readonly subject: Subject;
  readonly load: Load;
}

/**
 * All pairings have their turn before any has its next, neighbours beside each other: whatever else the machine does
 * disturbs all alike.
 */
export async function takeTurns(
  database: TestDatabase,
  pairings: readonly Pairing[],
  turns: number,
): Promise<Measured[]> {
  const measured = pairings.map(({ subject, load }) => ({
    subject: subject.name,
    load,
    turns: [] as Turn[],
  }));
  for (let turn = 0; turn < turns; turn += 1) {
    console.error(`turn ${turn + 1} of ${turns} ...`);
    const order = [...pairings.entries()];
    // There and back, so that what grows or fades in the meantime is nobody's gain.
    for (const [index, { subject, load }] of turn % 2 === 0 ? order : order.toReversed()) {
      measured[index]?.turns.push(await takeTurn(database, subject, load));
    }
  }
  return measured;
}
