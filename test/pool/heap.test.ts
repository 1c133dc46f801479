import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = `
  import { heapGrowth } from './test/bench/heap-growth.ts';
  console.log(await heapGrowth(1_000_000));
`;

test('a million checkouts and checkins leave nothing on the heap', async () => {
  const program = ['--expose-gc', '--import', 'tsx', '--input-type=module', '--eval', PROGRAM];
  const { stdout } = await promisify(execFile)(process.execPath, program, { cwd: ROOT, timeout: 20_000 });
  expect(Number.parseFloat(stdout)).toBeLessThan(1_000_000);
});
