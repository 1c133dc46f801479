import type { TestDatabase } from '../../support/database/own-database.ts';
import { type Measured, type Pairing, takeTurns } from '../measure/turn.ts';
import type { Plan } from '../plan.ts';
import type { Subject } from '../subjects/subject.ts';

/** Each load of the plan, for each subject that can bear it. */
export async function runRaces(
  database: TestDatabase,
  subjects: readonly Subject[],
  { races, turns, warmUpMs, durationMs }: Plan,
): Promise<Measured[]> {
  console.error('throughput ...');
  const pairings = races.flatMap(({ workload, clients, subjects: names }) => {
    const running = subjects.filter(
      ({ name, kinds }) => names.includes(name) && kinds?.includes(workload.kind) !== false,
    );
    return clients.flatMap((count) =>
      running.map(
        (subject): Pairing => ({
          subject,
          load: { mode: 'closed', workload, clients: count, warmUpMs, durationMs },
        }),
      ),
    );
  });
  return await takeTurns(database, pairings, turns);
}
