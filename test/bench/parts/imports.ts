import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { runProgram } from '../../../infra/local/run-program.ts';
import { makeTemporaryFolder, removeTemporaryFolder } from '../../../infra/local/temporary-folder.ts';
import { medianOf } from '../measure/median.ts';

const PROJECT = join(import.meta.dirname, '../../..');

/** Milliseconds of a cold start, in a process of its own each time. */
interface ColdStart {
  /** Of the module alone. */
  readonly importMs: number;
  /** From the start of the process until the module is there. */
  readonly startMs: number;
}

export interface Imports {
  readonly ours: ColdStart;
  readonly empty: ColdStart;
}

/** How long Node.js takes to import a packaged function, and one that does nothing. */
export async function measureImports(times: number): Promise<Imports> {
  console.error('cold imports ...');
  const folder = await makeTemporaryFolder('imports');
  const files = { ours: join(folder, 'query.mjs'), empty: join(folder, 'empty.mjs') };
  await bundle('functions/query.ts', files.ours);
  await writeFile(files.empty, 'export const handler=async()=>({statusCode:200});');
  const ours: ColdStart[] = [];
  const empty: ColdStart[] = [];
  for (let time = 0; time < times; time += 1) {
    ours.push(await importOnce(files.ours));
    empty.push(await importOnce(files.empty));
  }
  await removeTemporaryFolder(folder);
  return { ours: middleOf(ours), empty: middleOf(empty) };
}

/** As infra/bundle-plugin.mjs packages it. */
async function bundle(entryPoint: string, outfile: string): Promise<void> {
  await build({
    absWorkingDir: PROJECT,
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    external: ['@aws-sdk/*'],
    legalComments: 'none',
  });
}

async function importOnce(file: string): Promise<ColdStart> {
  // The clock of performance.now() begins with the process.
  const script =
    'const sinceMs = performance.now(); await import(process.argv[1]); const nowMs = performance.now();' +
    'console.log(nowMs - sinceMs, nowMs)';
  const env = { BROKER_URL: 'http://127.0.0.1:8080', BROKER_KEY: 'unused' };
  const output = await runProgram(process.execPath, ['--input-type=module', '-e', script, file], { env });
  const [importMs = Number.NaN, startMs = Number.NaN] = output.trim().split(' ').map(Number);
  return { importMs, startMs };
}

function middleOf(starts: readonly ColdStart[]): ColdStart {
  return {
    importMs: medianOf(starts.map(({ importMs }) => importMs)),
    startMs: medianOf(starts.map(({ startMs }) => startMs)),
  };
}
