import type { Outcome, Workload } from '../load/job.ts';
import { medianOf, spreadOf } from '../measure/median.ts';
import type { Measured, Turn } from '../measure/turn.ts';
import type { Burst } from '../parts/burst.ts';
import { type Growth, steepestPower } from '../parts/growth.ts';
import type { AttackResult } from '../parts/hostile-caller.ts';
import type { Imports } from '../parts/imports.ts';
import { TITLES } from '../subjects/subject.ts';
import { markdownTable, shown, shownMegabytes } from './markdown.ts';

const QUANTILES = ['p50', 'p90', 'p99', 'p999'] as const;
const QUANTILE_TITLES = ['p50 ms', 'p90 ms', 'p99 ms', 'p99.9 ms'];

export function racesTable(races: readonly Measured[]): string {
  const head = ['load', 'clients', 'subject', 'per second', '±', ...QUANTILE_TITLES, 'connections', 'CPU ms'];
  return markdownTable(
    [...head, 'MB', 'failed'],
    races.map(({ subject, load, turns }) => {
      const { median, spread } = spreadOf(turns.map(({ perSecond }) => perSecond));
      return [
        workloadTitle(load.workload),
        String(load.clients),
        TITLES[subject],
        shown(median),
        `${(spread * 100).toFixed(0)} %`,
        ...latencies(turns),
        String(Math.max(...turns.map(({ connections }) => connections))),
        shown(middle(turns, ({ cpuMs }) => cpuMs)),
        shownMegabytes(middle(turns, ({ rssBytes }) => rssBytes)),
        failedShare(turns),
      ];
    }),
  );
}

export function ratesTable(rates: readonly Measured[]): string {
  return markdownTable(
    ['due per second', 'subject', ...QUANTILE_TITLES, 'failed'],
    rates.map(({ subject, load, turns }) => [
      load.mode === 'open' ? String(load.ratePerSecond) : '–',
      TITLES[subject],
      ...latencies(turns),
      failedShare(turns),
    ]),
  );
}

export function burstsTable(bursts: readonly Burst[]): string {
  return markdownTable(
    ['subject', ...QUANTILE_TITLES, 'connections', 'failed'],
    bursts.map(({ subject, outcomes, connections }) => [
      TITLES[subject],
      ...latencies(outcomes),
      String(connections),
      failedShare(outcomes),
    ]),
  );
}

/** What one caller does to another. */
export function attacksTable(attacks: readonly AttackResult[]): string {
  return markdownTable(
    ['the hostile caller sends', 'and gets', ...QUANTILE_TITLES, 'failed', 'MB'],
    attacks.map(({ name, replies, other, peakRssBytes }) => [
      name,
      Object.entries(replies)
        .map(([reply, count]) => `${count} x ${reply}`)
        .join(', '),
      ...latencies([other]),
      failedShare([other]),
      shownMegabytes(peakRssBytes),
    ]),
  );
}

export function growthTable(growths: readonly Growth[]): string {
  const rows = growths.flatMap((growth) =>
    growth.points.map(({ count, cpuMs, p50Ms, rssBytes, failures }, index) => [
      growth.of,
      String(count),
      shown(cpuMs),
      shownLatency(p50Ms),
      shownMegabytes(rssBytes),
      String(failures),
      index === growth.points.length - 1 ? shown(steepestPower(growth)) : '–',
    ]),
  );
  return markdownTable(['growth with', 'count', 'CPU ms', 'p50 ms', 'MB', 'failed', 'steepest power'], rows);
}

export function importsTable(imports: Imports): string {
  return markdownTable(
    ['function', 'bytes', 'import ms', 'start ms, with Node.js'],
    Object.entries(imports).map(([name, { bytes, importMs, startMs }]) => [
      name,
      String(bytes),
      shown(importMs),
      shown(startMs),
    ]),
  );
}

function latencies(outcomes: readonly Outcome[]): string[] {
  return QUANTILES.map((quantile) =>
    shownLatency(medianOf(outcomes.map(({ latencyMs }) => latencyMs[quantile]))),
  );
}

/** None is 0: there was nothing to measure. */
function shownLatency(latencyMs: number): string {
  return latencyMs === 0 ? '–' : shown(latencyMs);
}

function middle(turns: readonly Turn[], figure: (turn: Turn) => number): number {
  return medianOf(turns.map(figure));
}

/** Share of the operations, and how most of them failed. */
function failedShare(outcomes: readonly Outcome[]): string {
  const counts = new Map<string, number>();
  for (const [failure, count] of outcomes.flatMap(({ failures }) => Object.entries(failures))) {
    counts.set(failure, (counts.get(failure) ?? 0) + count);
  }
  const [most] = [...counts].sort(([, one], [, other]) => other - one);
  if (most === undefined) return '0';
  const failed = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const operations = outcomes.reduce((sum, outcome) => sum + outcome.operations, 0);
  return `${((failed / operations) * 100).toFixed(0)} % ${most[0]}`;
}

function workloadTitle({ kind, size }: Workload): string {
  const titles: Readonly<Record<Workload['kind'], string>> = {
    key: 'SELECT by key',
    rows: `SELECT of ${size} rows`,
    insert: 'INSERT',
    slow: `statement of ${size} ms`,
    long: `statement of ${size} bytes`,
    transaction: 'transaction in one request',
    interactive: 'interactive transaction',
    stream: `stream of ${size} rows`,
  };
  return titles[kind];
}
