import type { TestDatabase } from '../../support/database/own-database.ts';
import { BY_KEY, type Outcome } from '../load/job.ts';
import { type ConnectionSample, watchConnections } from '../measure/connection-watch.ts';
import type { Load, Subject, SubjectName } from '../subjects/subject.ts';

const CLIENTS = 1_000;
const WATCH_INTERVAL_MS = 5;
/** Ours first: it has no advantage of a database that another warmed up. */
const COMPARED = ['broker', 'floor', 'functions'];

export interface Burst {
  readonly subject: SubjectName;
  readonly outcomes: readonly Outcome[];
  /** Connections while the first burst lasted. */
  readonly samples: readonly ConnectionSample[];
  /** The most that the server saw at a time, in all bursts. */
  readonly connections: number;
}

/** A thousand functions that start at the same moment: each connects and asks once. */
export async function runBursts(
  database: TestDatabase,
  subjects: readonly Subject[],
  turns: number,
): Promise<Burst[]> {
  console.error(`burst of ${CLIENTS} cold clients ...`);
  const load: Load = { mode: 'burst', clients: CLIENTS, workload: BY_KEY };
  const compared = subjects.filter(({ name }) => COMPARED.includes(name));
  const watched = new Map(
    compared.map((subject) => [subject, [] as { result: Outcome; samples: ConnectionSample[] }[]]),
  );
  for (let turn = 0; turn < turns; turn += 1) {
    for (const [{ user, run }, results] of watched) {
      results.push(await watchConnections(database, user, WATCH_INTERVAL_MS, () => run(load)));
    }
  }
  return [...watched].map(([{ name }, results]) => ({
    subject: name,
    outcomes: results.map(({ result }) => result),
    samples: results[0]?.samples ?? [],
    connections: Math.max(...results.flatMap(({ samples }) => samples.map(({ connections }) => connections))),
  }));
}
