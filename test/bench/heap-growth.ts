import { ours } from './contenders.ts';

const WARM_UP_CYCLES = 100_000;
const BORROWERS = 64;

/** Bytes in use after so many cycles, half of them with a line, less those before. Needs `node --expose-gc`. */
export async function heapGrowth(cycles: number): Promise<number> {
  const pool = ours('QueuePool', false);
  const run = async (count: number) => {
    await pool.alone(count / 2);
    await pool.together(count / 2, BORROWERS);
  };
  await run(WARM_UP_CYCLES);
  const before = heapUsed();
  await run(cycles);
  const growth = heapUsed() - before;
  await pool.end();
  return growth;
}

function heapUsed(): number {
  if (globalThis.gc === undefined) throw new Error('start node with --expose-gc');
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
