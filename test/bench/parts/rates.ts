import type { TestDatabase } from '../../support/database/own-database.ts';
import { BY_KEY } from '../load/job.ts';
import { medianOf } from '../measure/median.ts';
import { type Measured, type Pairing, takeTurns } from '../measure/turn.ts';
import type { Plan } from '../plan.ts';
import type { Subject } from '../subjects/subject.ts';

/** So many operations may be under way at a time. */
const CLIENTS = 256;
const COMPARED = ['broker', 'floor', 'connectEach'];

/** Latency at fixed rates, which are shares of what the floor did in the races. */
export async function runRates(
  database: TestDatabase,
  subjects: readonly Subject[],
  { rateShares, rateTurns, warmUpMs, durationMs }: Plan,
  races: readonly Measured[],
): Promise<Measured[]> {
  const full = races.find(
    ({ subject, load }) => subject === 'floor' && load.workload.kind === 'key' && load.clients === 64,
  );
  const mostPerSecond = medianOf(full?.turns.map(({ perSecond }) => perSecond) ?? []);
  const compared = subjects.filter(({ name }) => COMPARED.includes(name));
  console.error('latency at fixed rates ...');
  const pairings = rateShares.flatMap((share) =>
    compared.map(
      (subject): Pairing => ({
        subject,
        load: {
          mode: 'open',
          workload: BY_KEY,
          clients: CLIENTS,
          ratePerSecond: Math.round((mostPerSecond * share) / 10) * 10,
          warmUpMs,
          durationMs,
        },
      }),
    ),
  );
  return await takeTurns(database, pairings, rateTurns);
}
