import type { Workload } from '../load/job.ts';
import { medianOf } from '../measure/median.ts';
import type { Measured, Turn } from '../measure/turn.ts';
import type { Import } from '../parts/imports.ts';
import { CONNECTIONS } from '../services/driver-options.ts';
import type { SubjectName } from '../subjects/subject.ts';
import { deployedTargets } from './deployed-report.ts';
import { markdownTable, shown } from './markdown.ts';
import type { Report } from './report.ts';

interface Target {
  readonly what: string;
  readonly bound: number;
  readonly isUpper: boolean;
  /** NaN: not measured in this run. */
  readonly measured: number;
}

type Figure = (turn: Turn) => number;

const perSecond: Figure = (turn) => turn.perSecond;
const p50: Figure = ({ latencyMs }) => latencyMs.p50;
const p99: Figure = ({ latencyMs }) => latencyMs.p99;

/** What we want to reach, beside what this run found. */
export function targetsTable(report: Report): string {
  return markdownTable(
    ['target', 'bound', 'measured', 'met'],
    targetsOf(report).map(({ what, bound, isUpper, measured }) => [
      what,
      `${isUpper ? '≤' : '≥'} ${bound}`,
      shown(measured),
      Number.isNaN(measured)
        ? 'not measured'
        : (isUpper ? measured <= bound : measured >= bound)
          ? 'yes'
          : 'NO',
    ]),
  );
}

function targetsOf(report: Report): Target[] {
  const { imports, idleMemory } = report;
  const { query, empty } = imports;
  const deployed = deployedTargets(report.deployed);
  const coldStart = (figure: (start: Import) => number) =>
    query === undefined || empty === undefined ? Number.NaN : figure(query) / figure(empty);
  const at = (subject: SubjectName, kind: Workload['kind'], clients: number, size = 1) =>
    report.races.find(
      ({ subject: name, load }) =>
        name === subject &&
        load.clients === clients &&
        load.workload.kind === kind &&
        load.workload.size === size,
    )?.turns ?? [];
  const ours = at('broker', 'key', 64);
  const crowd = at('broker', 'key', 1_000);
  const rows = 10_000;
  const least = (what: string, bound: number, measured: number) => ({
    what,
    bound,
    isUpper: false,
    measured,
  });
  const most = (what: string, bound: number, measured: number) => ({ what, bound, isUpper: true, measured });
  return [
    least(
      'SELECT by key, 64 clients: throughput of the floor',
      1,
      ratio(ours, at('floor', 'key', 64), perSecond),
    ),
    most('... its p99', 1.2, ratio(ours, at('floor', 'key', 64), p99)),
    least('1000 clients: throughput of our own at 64', 0.95, ratio(crowd, ours, perSecond)),
    most('... failures', 0, total(crowd, failuresOf)),
    most('... connections', CONNECTIONS, Math.max(...crowd.map(({ connections }) => connections))),
    least('throughput of Django + QueuePool', 7, ratio(ours, at('queuePool', 'key', 64), perSecond)),
    least(
      '10,000 rows: throughput of the floor',
      1.1,
      ratio(at('broker', 'rows', 16, rows), at('floor', 'rows', 16, rows), perSecond),
    ),
    least(
      'stream: rate of the bare driver',
      0.8,
      ratio(at('broker', 'stream', 4, rows), at('driver', 'stream', 4, rows), perSecond),
    ),
    most(
      'one client: time added to a direct query, of what the floor adds',
      1.5,
      addedTime(at('broker', 'key', 1), at('floor', 'key', 1), at('driver', 'key', 1)),
    ),
    most(
      "idle memory of the floor's",
      1.3,
      (idleMemory.broker ?? Number.NaN) / (idleMemory.floor ?? Number.NaN),
    ),
    most('memory after 10 minutes at full load, of that after one', 1.1, memoryGrowth(report.soak)),
    most(
      "cold start of an empty function's, with Node.js",
      2,
      coldStart(({ startMs }) => startMs),
    ),
    most(
      "... the import alone, of an empty module's",
      2,
      coldStart(({ importMs }) => importMs),
    ),
    most('p99 while a password changes, of the quiet one', 2, rotationRatio(report)),
    least('as deployed, worst of all sizes: throughput of the floor', 0.9, deployed.throughput),
    most('... its p99', 1.5, deployed.p99),
    most('... its start', 1.5, deployed.start),
    most('... health check with the least CPU, ms', 250, deployed.smallestHealthMs),
  ];
}

/** Turn by turn, for neighbours in time were disturbed alike. */
function ratio(one: readonly Turn[], other: readonly Turn[], figure: Figure): number {
  const ratios = one.map((turn, index) => {
    const neighbour = other[index];
    return neighbour === undefined ? Number.NaN : figure(turn) / figure(neighbour);
  });
  return medianOf(ratios);
}

function addedTime(ours: readonly Turn[], floor: readonly Turn[], driver: readonly Turn[]): number {
  const [byUs = Number.NaN, byFloor = Number.NaN, direct = Number.NaN] = [ours, floor, driver].map((turns) =>
    medianOf(turns.map(p50)),
  );
  return (byUs - direct) / (byFloor - direct);
}

function total(turns: readonly Turn[], figure: Figure): number {
  return turns.length === 0 ? Number.NaN : turns.reduce((sum, turn) => sum + figure(turn), 0);
}

function failuresOf({ failures }: Turn): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0);
}

const MINUTE_SAMPLES = 60;

/** Of the last minute against the second one. */
function memoryGrowth(bytes: readonly number[]): number {
  if (bytes.length < 3 * MINUTE_SAMPLES) return Number.NaN;
  return medianOf(bytes.slice(-MINUTE_SAMPLES)) / medianOf(bytes.slice(MINUTE_SAMPLES, 2 * MINUTE_SAMPLES));
}

function rotationRatio({ rotation: { quiet, rotating } }: Report): number {
  return medianOf(
    rotating.map(({ latencyMs }, index) => latencyMs.p99 / (quiet[index]?.latencyMs.p99 ?? Number.NaN)),
  );
}

export function loadBound(races: readonly Measured[]): string[] {
  return races
    .filter(({ subject, turns }) => subject !== 'driver' && medianOf(turns.map((t) => t.ownCpuShare)) > 0.9)
    .map(({ subject, load }) => `${subject}, ${load.workload.kind}, ${load.clients} clients`);
}
