import type { TestDatabase } from '../../support/database.ts';
import { BY_KEY } from '../load/job.ts';
import { medianOf } from '../measure/median.ts';
import { type Measured, takeTurns } from '../measure/turn.ts';
import type { Plan } from '../plan.ts';
import type { Load, Subject } from '../subjects/subject.ts';

/** So many operations may be under way at a time. */
const CLIENTS = 256;
const COMPARED = ['broker', 'floor', 'connectEach'];

/** Latency at fixed rates, which are shares of what the floor did in the races. */
export async function runRates(
  database: TestDatabase,
  subjects: readonly Subject[],
  { rateShares, turns, warmUpMs, durationMs }: Plan,
  races: readonly Measured[],
): Promise<Measured[]> {
  const full = races.find(
    ({ subject, load }) => subject === 'floor' && load.workload.kind === 'key' && load.clients === 64,
  );
  const mostPerSecond = medianOf(full?.turns.map(({ perSecond }) => perSecond) ?? []);
  const compared = subjects.filter(({ name }) => COMPARED.includes(name));
  const measured: Measured[] = [];
  for (const share of rateShares) {
    const ratePerSecond = Math.round((mostPerSecond * share) / 10) * 10;
    console.error(`${ratePerSecond} operations a second ...`);
    const load: Load = {
      mode: 'open',
      workload: BY_KEY,
      clients: CLIENTS,
      ratePerSecond,
      warmUpMs,
      durationMs,
    };
    measured.push(...(await takeTurns(database, compared, load, turns)));
  }
  return measured;
}
