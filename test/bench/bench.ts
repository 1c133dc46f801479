import { cp, mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compileModules } from './compiled.ts';
import { type BenchDatabase, startBenchDatabase } from './database.ts';
import { BY_KEY } from './load/job.ts';
import { type LoadProcess, startLoadProcess } from './load/load-process.ts';
import { runIn } from './measure/run-in.ts';
import { runBursts } from './parts/burst.ts';
import { deployedIfPossible } from './parts/deployed.ts';
import { runGrowth } from './parts/growth.ts';
import { measureImports } from './parts/imports.ts';
import { idleMemory, soak } from './parts/memory.ts';
import { runRaces } from './parts/races.ts';
import { runRates } from './parts/rates.ts';
import { runRotation } from './parts/rotation.ts';
import { FULL, type Plan, SHORT } from './plan.ts';
import { deployedPlot } from './report/deployed-report.ts';
import { connectionsPlot, latencyPlot } from './report/plots.ts';
import { printReport } from './report/print-report.ts';
import type { Report } from './report/report.ts';
import { startSubjects } from './subjects/start-subjects.ts';
import type { Subject } from './subjects/subject.ts';

const PROJECT = join(import.meta.dirname, '../..');
const OUTPUT = join(PROJECT, 'dist/bench');
/** What the README shows. */
const KEPT_PLOTS = join(import.meta.dirname, 'results');

const { values } = parseArgs({
  options: {
    /** A minute and a half in place of an hour. */
    short: { type: 'boolean', default: false },
    /** Replace the plots that the README shows. */
    keep: { type: 'boolean', default: false },
  },
});

await compileModules();
await using bench = await startBenchDatabase();
using load = startLoadProcess('http-load');
const subjects = await startSubjects(bench, load);
const report = await measure(bench, load, subjects, values.short ? SHORT : FULL);
for (const subject of subjects) await subject.stop();
await save(report);
printReport(report);

async function measure(
  bench: BenchDatabase,
  load: LoadProcess,
  subjects: readonly Subject[],
  plan: Plan,
): Promise<Report> {
  const { database } = bench;
  const [broker] = subjects;
  if (broker === undefined) throw new Error('nothing to measure');
  const machine = describeMachine(`${database.server.flavour} ${database.server.version}`);
  const idle = await idleMemory(subjects);
  const bursts = await runBursts(database, subjects, plan.burstTurns);
  for (const subject of subjects) await runIn(subject, BY_KEY, plan.runningInMs);
  const races = await runRaces(database, subjects, plan);
  return {
    madeAt: new Date().toISOString(),
    machine,
    idleMemory: idle,
    bursts,
    races,
    rates: await runRates(database, subjects, plan, races),
    rotation: await runRotation(bench, load, plan.rotationTurns),
    deployed: await deployedIfPossible(bench, load, plan),
    growths: await runGrowth(bench, broker, load, plan),
    imports: await measureImports(plan.imports),
    soak: await soak(broker, plan.soakMs),
  };
}

function describeMachine(database: string): string {
  const [busy = 0] = loadavg();
  const cores = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), load ${busy.toFixed(1)} before the run`;
  return `${cores}, Linux ${release()}, Node.js ${process.version}, ${database}`;
}

async function save(report: Report): Promise<void> {
  await mkdir(OUTPUT, { recursive: true });
  await writeFile(join(OUTPUT, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  const plots = {
    'latency.svg': latencyPlot(report.rates),
    'connections.svg': connectionsPlot(report.bursts),
    ...(report.deployed.length > 0 && { 'deployed.svg': deployedPlot(report.deployed) }),
  };
  for (const [name, plot] of Object.entries(plots)) {
    await writeFile(join(OUTPUT, name), plot);
    if (values.keep) await cp(join(OUTPUT, name), join(KEPT_PLOTS, name));
  }
}
