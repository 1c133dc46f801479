import type { Account } from '../../../infra/local/database/database-admin.ts';
import { compiledPath } from '../compiled.ts';
import type { BenchDatabase } from '../database.ts';
import { BY_KEY } from '../load/job.ts';
import type { LoadProcess } from '../load/load-process.ts';
import { medianOf } from '../measure/median.ts';
import { runIn } from '../measure/run-in.ts';
import { type Turn, takeTurn } from '../measure/turn.ts';
import { markdownTable, shown } from '../report/markdown.ts';
import { startBroker } from '../subjects/broker.ts';
import { startDelayingProxy } from '../subjects/delaying-proxy.ts';
import { type ServiceProcess, startServiceProcess } from '../subjects/service-process.ts';
import { databaseEnvironment, type Load, type Subject } from '../subjects/subject.ts';

const CLIENTS = 64;
const SLOW_MS = 200;
/** Of the statements, where slow ones are mixed in. */
const SLOW_SHARE = 0.01;

/** Pools of one size before a database that is so far away. */
interface Setting {
  readonly delayMs: number;
  readonly connections: number;
}

interface Scene extends Setting {
  readonly hasSlow: boolean;
}

const KINDS = ['floor', 'alone', 'pipelined'] as const;
type Kind = (typeof KINDS)[number];

const KIND_TITLES: Readonly<Record<Kind, string>> = {
  floor: 'Fastify + mysql2 pool, bare',
  alone: 'ours, maxPipelined: 1',
  pipelined: 'ours',
};

export interface PipelineResult extends Scene {
  readonly kind: Kind;
  readonly turns: readonly Turn[];
}

const SHORT: readonly Setting[] = [
  { delayMs: 0, connections: 10 },
  { delayMs: 1, connections: 2 },
  { delayMs: 1, connections: 4 },
  { delayMs: 1, connections: 16 },
];
const FULL: readonly Setting[] = [0, 1, 3].flatMap((delayMs) =>
  [2, 4, 10, 16].map((connections) => ({ delayMs, connections })),
);

/** Each kind of pool has its turn before any has its next. */
export async function runPipeline(
  bench: BenchDatabase,
  load: LoadProcess,
  slowLoad: LoadProcess,
  isShort: boolean,
): Promise<PipelineResult[]> {
  const results: PipelineResult[] = [];
  const account = await bench.account('pipeline');
  for (const setting of isShort ? SHORT : FULL) {
    using proxy = await startDelayingProxy(bench.database.server, setting.delayMs);
    const port = setting.delayMs === 0 ? bench.database.server.port : proxy.port;
    const subjects = await startKinds(bench, account, load, { ...setting, port });
    for (const { subject } of subjects) await runIn(subject, BY_KEY, 1_500);
    for (const hasSlow of setting.connections === 10 ? [false, true] : [false]) {
      const turns = subjects.map((): Turn[] => []);
      for (let turn = 0; turn < (isShort ? 3 : 5); turn += 1) {
        const order = [...subjects.entries()];
        for (const [index, one] of turn % 2 === 0 ? order : order.toReversed()) {
          turns[index]?.push(await takeOne(bench, one, slowLoad, hasSlow, isShort ? 700 : 2_000));
        }
      }
      results.push(
        ...subjects.map(({ kind }, index) => ({ ...setting, hasSlow, kind, turns: turns[index] ?? [] })),
      );
      console.error(`${setting.connections} connections, ${setting.delayMs} ms: done`);
    }
    for (const { subject } of subjects) await subject.stop();
  }
  return results;
}

interface Running {
  readonly kind: Kind;
  readonly url: string;
  readonly subject: Subject;
}

async function startKinds(
  { database: { server } }: BenchDatabase,
  account: Account,
  load: LoadProcess,
  { connections, port }: { readonly connections: number; readonly port: number },
): Promise<Running[]> {
  const at = { ...server, port };
  const broker = async (maxPipelined: number) =>
    await startBroker(at, account, {
      alias: {
        pool: {
          size: connections,
          maxOverflow: 0,
          maxPipelined,
        },
      },
    });
  const env = { ...databaseEnvironment(at, account), DATABASE_CONNECTIONS: String(connections) };
  const services: Readonly<Record<Kind, () => Promise<ServiceProcess>>> = {
    floor: async () => await startServiceProcess([process.execPath, compiledPath('floor')], env),
    alone: async () => await broker(1),
    pipelined: async () => await broker(8),
  };
  const running: Running[] = [];
  for (const kind of KINDS) {
    const { url, pid, stop } = await services[kind]();
    const run = async (job: Load) => await load.run({ ...job, url });
    const name = kind === 'floor' ? 'floor' : 'broker';
    running.push({ kind, url, subject: { name, user: account.user, pid, kinds: undefined, run, stop } });
  }
  return running;
}

/** Slow statements have a load process of their own, so that only the others are measured. */
async function takeOne(
  { database }: BenchDatabase,
  { url, subject }: Running,
  slowLoad: LoadProcess,
  hasSlow: boolean,
  durationMs: number,
): Promise<Turn> {
  const keys: Load = { mode: 'closed', workload: BY_KEY, clients: CLIENTS, warmUpMs: 300, durationMs };
  if (!hasSlow) return await takeTurn(database, subject, keys);
  const { perSecond } = await subject.run({ ...keys, durationMs: 300 });
  const [turn] = await Promise.all([
    takeTurn(database, subject, keys),
    slowLoad.run({
      mode: 'open',
      url,
      workload: { kind: 'slow', size: SLOW_MS, aliases: 1 },
      clients: CLIENTS,
      ratePerSecond: Math.max(1, Math.round(perSecond * SLOW_SHARE)),
      warmUpMs: 0,
      durationMs: durationMs + 300,
    }),
  ]);
  return turn;
}

export function pipelineTable(results: readonly PipelineResult[]): string {
  const head = [
    'delay ms',
    'connections',
    'slow 1 %',
    'pool',
    'per second',
    'of the floor',
    'p50 ms',
    'p99 ms',
  ];
  return markdownTable(
    [...head, 'p99 of the floor', 'CPU ms', 'CPU of the floor', 'failed'],
    results.map((result) => {
      const { delayMs, connections, hasSlow, kind, turns } = result;
      const floor =
        results.find((other) => other.kind === 'floor' && isSameScene(other, result))?.turns ?? [];
      const middle = (figure: (turn: Turn) => number) => shown(medianOf(turns.map(figure)));
      // Turn by turn: neighbours in time were disturbed alike.
      const ofFloor = (figure: (turn: Turn) => number) =>
        shown(
          medianOf(
            turns.map((turn, index) => figure(turn) / (floor[index] ? figure(floor[index]) : Number.NaN)),
          ),
        );
      const perSecond = (turn: Turn) => turn.perSecond;
      const p99 = ({ latencyMs }: Turn) => latencyMs.p99;
      const cpuMs = (turn: Turn) => turn.cpuMs;
      const failed = turns
        .flatMap(({ failures }) => Object.values(failures))
        .reduce((sum, count) => sum + count, 0);
      return [
        String(delayMs),
        String(connections),
        hasSlow ? 'yes' : 'no',
        KIND_TITLES[kind],
        middle(perSecond),
        ofFloor(perSecond),
        middle(({ latencyMs }) => latencyMs.p50),
        middle(p99),
        ofFloor(p99),
        middle(cpuMs),
        ofFloor(cpuMs),
        String(failed),
      ];
    }),
  );
}

function isSameScene(one: Scene, other: Scene): boolean {
  return (
    one.delayMs === other.delayMs && one.connections === other.connections && one.hasSlow === other.hasSlow
  );
}
