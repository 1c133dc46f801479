import { compileModules } from './compiled.ts';
import { startBenchDatabase } from './database.ts';
import { startLoadProcess } from './load/load-process.ts';
import { BUSY_ALIAS, HOSTILE_KEY, runAttacks } from './parts/hostile-caller.ts';
import { attacksTable } from './report/tables.ts';
import { BROKER_COMMAND, startBroker } from './subjects/broker.ts';

const HEAP_MB = 256;
const DURATION_MS = 8_000;

// What one caller can do to another: a broker with a small heap, one that does its worst, one that asks by key.
await compileModules();
await using bench = await startBenchDatabase(['--max-allowed-packet=128M']);
using load = startLoadProcess('http-load');
const broker = await startBroker(bench.database.server, await bench.account('hostile'), {
  moreAliases: { [BUSY_ALIAS]: { pool: { size: 1, maxOverflow: 0 } } },
  moreKeys: { hostile: HOSTILE_KEY },
  command: [process.execPath, `--max-old-space-size=${HEAP_MB}`, ...BROKER_COMMAND.slice(1)],
});
const results = await runAttacks(broker, load, DURATION_MS);
await broker.stop();
console.log(attacksTable(results));
