import { deployedTable } from './deployed-report.ts';
import type { Report } from './report.ts';
import { burstsTable, growthTable, importsTable, racesTable, ratesTable } from './tables.ts';
import { loadBound, targetsTable } from './targets.ts';

/** The tables of a run, as Markdown on standard output. */
export function printReport(report: Report): void {
  const sections = [
    [`Measured ${report.madeAt.slice(0, 10)}: ${report.machine}`, racesTable(report.races)],
    ['At a fixed rate', ratesTable(report.rates)],
    ['A burst of 1000 cold clients', burstsTable(report.bursts)],
    ['As deployed', report.deployed.length === 0 ? 'Not measured.' : deployedTable(report.deployed)],
    ["Growth of the broker's cost", growthTable(report.growths)],
    ['Cold starts of the functions', importsTable(report.imports)],
    ['Targets', targetsTable(report)],
  ];
  for (const [title, table] of sections) console.log(`\n### ${title}\n\n${table}`);
  const bound = loadBound(report.races);
  if (bound.length > 0) console.log(`\nBound by the load process itself: ${bound.join('; ')}.`);
}
