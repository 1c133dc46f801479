import { medianOf } from '../measure/median.ts';
import type { Deployed, DeployedTurn } from '../parts/deployed.ts';
import { linePlot } from './line-plot.ts';
import { markdownTable, shown } from './markdown.ts';

const COLORS = ['#777777', '#0b66c3', '#c4302b', '#2e8b57', '#8a4fbf'];

/** Shares are those of the floor in a task of the same size, turn by turn. */
export function deployedTable(results: readonly Deployed[]): string {
  const head = ['vCPU', 'MiB', 'clients', 'subject', 'per second', 'of floor', 'p99 ms', 'of floor'];
  return markdownTable(
    [...head, 'CPU ms', 'health check ms', 'start ms'],
    results.map((result) => {
      const { title, size, clients, turns, startsMs } = result;
      const shownMedian = (figure: (turn: DeployedTurn) => number) => shown(medianOf(turns.map(figure)));
      const shownShare = (figure: (turn: DeployedTurn) => number) => shown(ofFloor(results, result, figure));
      return [
        String(size.vcpus),
        String(size.memoryMib),
        String(clients),
        title,
        shownMedian(perSecond),
        shownShare(perSecond),
        shownMedian(p99Ms),
        shownShare(p99Ms),
        shownMedian(({ cpuMs }) => cpuMs),
        shownMedian(({ healthMs }) => healthMs),
        shown(medianOf(startsMs)),
      ];
    }),
  );
}

/** With the smallest memory that was measured of each share of a CPU. */
export function deployedPlot(results: readonly Deployed[]): string {
  const least = (vcpus: number) =>
    Math.min(
      ...results.filter(({ size }) => size.vcpus === vcpus).map(({ size: { memoryMib } }) => memoryMib),
    );
  const shownResults = results.filter(
    ({ clients, size }) => clients === 64 && size.memoryMib === least(size.vcpus),
  );
  const titles = [...new Set(shownResults.map(({ title }) => title))];
  return linePlot({
    title: 'SELECTs by key as deployed, 64 clients',
    xLabel: 'vCPUs of the task',
    yLabel: 'per second',
    isLogarithmic: false,
    series: titles.map((title, index) => ({
      name: title,
      color: COLORS[index % COLORS.length] ?? '#000000',
      points: shownResults
        .filter((result) => result.title === title)
        .map(({ size, turns }) => [size.vcpus, medianOf(turns.map(perSecond))] as const),
    })),
  });
}

/** The worst of all sizes. */
export interface DeployedTargets {
  readonly throughput: number;
  readonly p99: number;
  readonly start: number;
  readonly smallestHealthMs: number;
}

/** All NaN where nothing was measured. */
export function deployedTargets(results: readonly Deployed[]): DeployedTargets {
  const ours = results.filter(({ title }) => title === 'broker');
  if (ours.length === 0)
    return { throughput: Number.NaN, p99: Number.NaN, start: Number.NaN, smallestHealthMs: Number.NaN };
  const smallest = Math.min(...ours.map(({ size: { vcpus } }) => vcpus));
  const startOf = ({ startsMs }: Deployed) => medianOf(startsMs);
  return {
    throughput: Math.min(...ours.map((result) => ofFloor(results, result, perSecond))),
    p99: Math.max(...ours.map((result) => ofFloor(results, result, p99Ms))),
    start: Math.max(
      ...ours.map((result) => {
        const floor = floorBeside(results, result);
        return floor === undefined ? Number.NaN : startOf(result) / startOf(floor);
      }),
    ),
    smallestHealthMs: Math.max(
      ...ours
        .filter(({ size }) => size.vcpus === smallest)
        .map(({ turns }) => medianOf(turns.map(({ healthMs }) => healthMs))),
    ),
  };
}

const perSecond = (turn: DeployedTurn) => turn.perSecond;
const p99Ms = ({ latencyMs }: DeployedTurn) => latencyMs.p99;

function ofFloor(
  results: readonly Deployed[],
  result: Deployed,
  figure: (turn: DeployedTurn) => number,
): number {
  const floor = floorBeside(results, result);
  return medianOf(
    result.turns.map((turn, index) => {
      const neighbour = floor?.turns[index];
      return neighbour === undefined ? Number.NaN : figure(turn) / figure(neighbour);
    }),
  );
}

function floorBeside(results: readonly Deployed[], { size, clients }: Deployed): Deployed | undefined {
  return results.find(
    (other) =>
      other.title === 'floor' &&
      other.clients === clients &&
      other.size.vcpus === size.vcpus &&
      other.size.memoryMib === size.memoryMib,
  );
}
