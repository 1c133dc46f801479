import { ours } from './contenders.ts';

const WARM_UP_CYCLES = 100_000;

/** Bytes in use after so many cycles, less those before, garbage aside. Needs `node --expose-gc`. */
export async function heapGrowth(cycles: number): Promise<number> {
  const pool = ours('QueuePool', false);
  await pool.alone(WARM_UP_CYCLES);
  const before = heapUsed();
  await pool.alone(cycles);
  const growth = heapUsed() - before;
  await pool.end();
  return growth;
}

function heapUsed(): number {
  if (globalThis.gc === undefined) throw new Error('start node with --expose-gc');
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
