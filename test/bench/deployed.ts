import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compileModules } from './compiled.ts';
import { startBenchDatabase } from './database.ts';
import { startLoadProcess } from './load/load-process.ts';
import { deployableBroker, deployableFloor, runDeployed, TASK_SIZES } from './parts/deployed.ts';
import { FULL, SHORT } from './plan.ts';
import { deployedPlot, deployedTable } from './report/deployed-report.ts';

const OUTPUT = join(import.meta.dirname, '../../dist/bench');
const KEPT_PLOT = join(import.meta.dirname, 'results/deployed.svg');

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    /** Replace the plot that the README shows. */
    keep: { type: 'boolean', default: false },
    /** Tasks with so many vCPUs alone. */
    vcpus: { type: 'string' },
    /** A command that starts another broker, of an older build or with other options, which is measured too. */
    beside: { type: 'string', multiple: true, default: [] },
  },
});

await compileModules();
await using bench = await startBenchDatabase();
using load = startLoadProcess('http-load');
const results = await runDeployed(
  bench,
  load,
  [
    deployableFloor(bench),
    deployableBroker(bench),
    ...values.beside.map((command) => deployableBroker(bench, command, command.split(' '))),
  ],
  TASK_SIZES.filter(({ vcpus }) => values.vcpus === undefined || vcpus === Number(values.vcpus)),
  values.short ? SHORT : FULL,
);
const plotFile = join(OUTPUT, 'deployed.svg');
await mkdir(OUTPUT, { recursive: true });
await writeFile(plotFile, deployedPlot(results));
await writeFile(join(OUTPUT, 'deployed.json'), `${JSON.stringify(results, null, 2)}\n`);
if (values.keep) await cp(plotFile, KEPT_PLOT);
console.log(deployedTable(results));
