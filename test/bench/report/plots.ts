import type { ConnectionSample } from '../measure/connection-watch.ts';
import { medianOf } from '../measure/median.ts';
import type { Measured } from '../measure/turn.ts';
import type { Burst } from '../parts/burst.ts';
import { type SubjectName, TITLES } from '../subjects/subject.ts';
import { linePlot, type Series } from './line-plot.ts';

const COLORS: Readonly<Record<SubjectName, string>> = {
  broker: '#0b66c3',
  floor: '#777777',
  driver: '#2e8b57',
  echo: '#bb8800',
  connectEach: '#c4302b',
  queuePool: '#8a4fbf',
  functions: '#c4302b',
};

export function latencyPlot(rates: readonly Measured[]): string {
  const names = [...new Set(rates.map(({ subject }) => subject))];
  const series = names.flatMap((subject) => {
    const own = rates.filter((measured) => measured.subject === subject);
    return (['p50', 'p99'] as const).map(
      (quantile): Series => ({
        name: `${SHORT_TITLES[subject]}, ${quantile}`,
        color: COLORS[subject],
        isDashed: quantile === 'p99',
        points: own.flatMap(({ load, turns }) =>
          load.mode === 'open'
            ? [[load.ratePerSecond, medianOf(turns.map(({ latencyMs }) => latencyMs[quantile]))] as const]
            : [],
        ),
      }),
    );
  });
  return linePlot({
    title: 'Latency at a fixed rate of SELECTs by key',
    xLabel: 'requests due per second',
    yLabel: 'ms from when it was due to its last byte',
    isLogarithmic: true,
    series,
  });
}

export function connectionsPlot(bursts: readonly Burst[]): string {
  const shown = bursts.filter(({ subject }) => subject === 'broker' || subject === 'functions');
  return linePlot({
    title: 'A burst of 1000 cold clients',
    xLabel: 'ms since the burst began',
    yLabel: 'connections, as the database server counts them',
    isLogarithmic: false,
    series: shown.map(({ subject, samples }) => ({
      name: SHORT_TITLES[subject],
      color: COLORS[subject],
      points: changesOf(samples).map(({ atMs, connections }) => [atMs, connections] as const),
    })),
  });
}

/** Without those in the middle of a level line. */
function changesOf(samples: readonly ConnectionSample[]): ConnectionSample[] {
  return samples.filter(({ connections }, index) => {
    const neighbours = [samples[index - 1], samples[index + 1]];
    return neighbours.some((neighbour) => neighbour?.connections !== connections);
  });
}

/** As far as there is room. */
const SHORT_TITLES: Readonly<Record<SubjectName, string>> = {
  ...TITLES,
  floor: 'Fastify + mysql2',
  connectEach: 'connection per request',
  queuePool: 'Django + QueuePool',
};
