import { parseArgs } from 'node:util';
import { compileModules } from './compiled.ts';
import { startBenchDatabase } from './database.ts';
import { startLoadProcess } from './load/load-process.ts';
import { pipelineTable, runPipeline } from './parts/pipeline.ts';

const { values } = parseArgs({ options: { short: { type: 'boolean', default: false } } });

// What a pool of few connections does, near the database and further away, with pipelined reads and without.
await compileModules();
await using bench = await startBenchDatabase();
using load = startLoadProcess('http-load');
using slowLoad = startLoadProcess('http-load');
console.log(pipelineTable(await runPipeline(bench, load, slowLoad, values.short)));
