import { startOwnDatabase } from '../support/database/own-database.ts';
import { type Contender, genericPool, mysql2, ours, tarn } from './contenders.ts';
import { heapGrowth } from './heap-growth.ts';
import { OPTIONS } from './stub-connector.ts';

const ROUNDS = 11;
const CYCLES = 128_000;
const BORROWERS = 64;
const HEAP_CYCLES = 10_000_000;

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}

/** The contenders take turns, so that whatever else the machine does disturbs all alike. Nanoseconds a cycle. */
async function race(
  contenders: readonly Contender[],
  run: (contender: Contender) => Promise<void>,
): Promise<Map<string, number>> {
  const times = new Map<string, number[]>();
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const contender of contenders) {
      globalThis.gc?.();
      const sinceMs = performance.now();
      await run(contender);
      const nsPerCycle = ((performance.now() - sinceMs) * 1e6) / CYCLES;
      // The first round is for warming up.
      if (round >= 0) times.set(contender.name, [...(times.get(contender.name) ?? []), nsPerCycle]);
    }
  }
  return new Map([...times].map(([name, values]) => [name, median(values)]));
}

function show(times: ReadonlyMap<string, number>): void {
  const [first = Number.NaN] = times.values();
  const row = (ns: number) => ({
    'ns a cycle': Math.round(ns),
    'times ours': Number((ns / first).toFixed(2)),
  });
  console.table(Object.fromEntries([...times].map(([name, ns]) => [name, row(ns)])));
}

await using database = await startOwnDatabase();
const contenders = [
  ours('QueuePool, plain statements', false),
  ours('QueuePool, a reset each time', true),
  tarn(),
  genericPool('generic-pool', true),
  genericPool('generic-pool, unvalidated', false),
  mysql2('mysql2, waits have no deadline', database),
  mysql2('mysql2, its user sets a timer', database, OPTIONS.checkoutTimeoutMs),
];
console.log('One borrower after another: checkout and checkin of an idle connection');
show(await race(contenders, (contender) => contender.alone(CYCLES)));
console.log(`${BORROWERS} borrowers on 10 connections`);
show(await race(contenders, (contender) => contender.together(CYCLES, BORROWERS)));
for (const { end } of contenders) await end();

console.log(`Heap after ${HEAP_CYCLES} cycles: ${await heapGrowth(HEAP_CYCLES)} bytes more than before`);
