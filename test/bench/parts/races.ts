import type { TestDatabase } from '../../support/database.ts';
import { type Measured, takeTurns } from '../measure/turn.ts';
import type { Plan } from '../plan.ts';
import type { Load, Subject } from '../subjects/subject.ts';

/** Each load of the plan, for each subject that can bear it. */
export async function runRaces(
  database: TestDatabase,
  subjects: readonly Subject[],
  { races, turns, warmUpMs, durationMs }: Plan,
): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const { workload, clients, subjects: names } of races) {
    const running = subjects.filter(
      ({ name, kinds }) => names.includes(name) && kinds?.includes(workload.kind) !== false,
    );
    for (const count of clients) {
      console.error(`${workload.kind}, ${count} clients ...`);
      const load: Load = { mode: 'closed', workload, clients: count, warmUpMs, durationMs };
      measured.push(...(await takeTurns(database, running, load, turns)));
    }
  }
  return measured;
}
