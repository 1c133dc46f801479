import type { Account } from '../../../infra/local/database/database-admin.ts';
import type { BenchDatabase } from '../database.ts';
import { BY_KEY, type Workload } from '../load/job.ts';
import type { LoadProcess } from '../load/load-process.ts';
import { medianOf } from '../measure/median.ts';
import { runIn } from '../measure/run-in.ts';
import { type Turn, takeTurn } from '../measure/turn.ts';
import type { Plan } from '../plan.ts';
import type { Load, Subject } from '../subjects/subject.ts';
import { startWithAliases, startWithOpenTransactions } from './grown-brokers.ts';

/** One thing of which there is more and more, and what a request then costs. */
export interface Growth {
  readonly of: string;
  readonly points: readonly GrowthPoint[];
}

interface GrowthPoint {
  readonly count: number;
  readonly cpuMs: number;
  readonly p50Ms: number;
  readonly rssBytes: number;
  readonly failures: number;
}

interface Step {
  readonly count: number;
  readonly clients: number;
  readonly workload: Workload;
  /** Default: the broker that all other parts use. */
  readonly start?: () => Promise<Subject>;
}

/** What grows, from step to step. */
interface Growing {
  readonly of: string;
  readonly steps: readonly Step[];
}

const CLIENTS = 16;

/** What grows with what, in the broker. The steps of one growth take turns. */
export async function runGrowth(
  bench: BenchDatabase,
  broker: Subject,
  load: LoadProcess,
  plan: Plan,
): Promise<Growth[]> {
  const account = await bench.account('growing');
  await bench.database.admin.query('SET GLOBAL max_connections = 1000');
  const results: Growth[] = [];
  for (const { of, steps } of growthsOf(bench, account, load, plan)) {
    console.error(`growth with ${of} ...`);
    results.push({ of, points: await takeSteps(bench, broker, steps, plan) });
  }
  return results;
}

function growthsOf(
  { database: { server } }: BenchDatabase,
  account: Account,
  load: LoadProcess,
  { growsBrokers }: Plan,
): readonly Growing[] {
  const shared: readonly Growing[] = [
    {
      of: 'clients',
      steps: [1, 16, 64, 256, 1_000].map((count) => ({ count, clients: count, workload: BY_KEY })),
    },
    {
      of: 'rows of a result',
      steps: [1, 10, 100, 1_000, 10_000].map((count) => ({
        count,
        clients: CLIENTS,
        workload: { kind: 'rows', size: count, aliases: 1 },
      })),
    },
    {
      of: 'bytes of a statement',
      steps: [100, 1_000, 10_000, 100_000].map((count) => ({
        count,
        clients: CLIENTS,
        workload: { kind: 'long', size: count, aliases: 1 },
      })),
    },
  ];
  if (!growsBrokers) return shared;
  return [
    ...shared,
    {
      of: 'aliases',
      steps: [1, 10, 50, 200].map((count) => ({
        count,
        clients: CLIENTS,
        workload: { ...BY_KEY, aliases: count },
        start: () => startWithAliases(server, account, load, count),
      })),
    },
    {
      of: 'open transactions',
      steps: [1, 10, 100].map((count) => ({
        count,
        clients: CLIENTS,
        workload: BY_KEY,
        start: () => startWithOpenTransactions(server, account, load, count),
      })),
    },
  ];
}

async function takeSteps(
  { database }: BenchDatabase,
  broker: Subject,
  steps: readonly Step[],
  { growthTurns, growthMs, warmUpMs, runningInMs }: Plan,
): Promise<GrowthPoint[]> {
  const turns = steps.map((): Turn[] => []);
  for (let turn = 0; turn < growthTurns; turn += 1) {
    for (const [index, { clients, workload, start }] of steps.entries()) {
      const grown = await start?.();
      if (grown !== undefined) await runIn(grown, workload, runningInMs);
      const load: Load = { mode: 'closed', clients, workload, warmUpMs, durationMs: growthMs };
      turns[index]?.push(await takeTurn(database, grown ?? broker, load));
      await grown?.stop();
    }
  }
  return steps.map(({ count }, index) => {
    const middle = (figure: (turn: Turn) => number) => medianOf((turns[index] ?? []).map(figure));
    return {
      count,
      cpuMs: middle(({ cpuMs }) => cpuMs),
      p50Ms: middle(({ latencyMs }) => latencyMs.p50),
      rssBytes: middle(({ rssBytes }) => rssBytes),
      failures: middle(({ failures }) => Object.values(failures).reduce((sum, count) => sum + count, 0)),
    };
  });
}

/**
 * The steepest part: by which power of its count the cost grows. 1 is linear; below that, twice as many cost less
 * than twice as much.
 */
export function steepestPower({ points }: Growth): number {
  const powers = points.slice(1).map((point, index) => {
    const { count, cpuMs } = points[index] ?? point;
    return Math.log(point.cpuMs / cpuMs) / Math.log(point.count / count);
  });
  return Math.max(...powers);
}
