import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { runProgram } from '../../../infra/local/process/run-program.ts';
import { makeTemporaryFolder, removeTemporaryFolder } from '../../../infra/local/process/temporary-folder.ts';
import { medianOf } from '../measure/median.ts';

const PROJECT = join(import.meta.dirname, '../../..');

/** The functions that are deployed, and what each needs at the head of its bundle. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  query: '',
  transaction: '',
  health: '',
  'credentials-rotated': '',
  'rotate-secret':
    "import{createRequire as _createRequire}from'node:module';const require=_createRequire(import.meta.url);",
};

/** Lambda's own runtime speaks HTTP to Lambda: by the time a function is imported, Node.js has loaded this. */
const LOADED_BEFORE = 'node:http';

/** Milliseconds. */
export interface Import {
  /** Of the module alone. */
  readonly importMs: number;
  /** From the start of the process until the module is there. */
  readonly startMs: number;
}

/** In a process of its own each time. */
interface ColdStart extends Import {
  readonly bytes: number;
}

/** By name of the function; `empty` is one that does nothing. */
export type Imports = Readonly<Record<string, ColdStart>>;

/** How long Node.js takes to import each packaged function. */
export async function measureImports(times: number): Promise<Imports> {
  console.error('cold imports ...');
  const folder = await makeTemporaryFolder('imports');
  const names = [...Object.keys(FUNCTIONS), 'empty'];
  const fileOf = (name: string) => join(folder, `${name}.mjs`);
  await writeFile(fileOf('empty'), 'export const handler=async()=>({statusCode:200});');
  for (const [name, banner] of Object.entries(FUNCTIONS)) await bundle(name, banner, fileOf(name));
  const runs: { name: string; ms: Import }[] = [];
  for (let time = 0; time < times; time += 1) {
    for (const name of names) runs.push({ name, ms: await importOnce(fileOf(name)) });
  }
  const starts = names.map(async (name) => {
    const own = runs.filter((run) => run.name === name).map(({ ms }) => ms);
    const { size: bytes } = await stat(fileOf(name));
    return [name, { bytes, ...middleOf(own) }] as const;
  });
  const imports = Object.fromEntries(await Promise.all(starts));
  await removeTemporaryFolder(folder);
  return imports;
}

/** As infra/bundle-plugin.mjs packages it. */
async function bundle(name: string, banner: string, outfile: string): Promise<void> {
  await build({
    absWorkingDir: PROJECT,
    entryPoints: [`functions/${name}.ts`],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    external: ['@aws-sdk/*'],
    banner: { js: banner },
    legalComments: 'none',
  });
}

async function importOnce(file: string): Promise<Import> {
  // The clock of performance.now() begins with the process.
  const script =
    `import ${JSON.stringify(LOADED_BEFORE)};` +
    'const sinceMs = performance.now(); await import(process.argv[1]); const nowMs = performance.now();' +
    'console.log(nowMs - sinceMs, nowMs)';
  const env = { BROKER_URL: 'http://127.0.0.1:8080', BROKER_KEY: 'unused' };
  const output = await runProgram(process.execPath, ['--input-type=module', '-e', script, file], { env });
  const [importMs = Number.NaN, startMs = Number.NaN] = output.trim().split(' ').map(Number);
  return { importMs, startMs };
}

function middleOf(starts: readonly Import[]): Import {
  return {
    importMs: medianOf(starts.map(({ importMs }) => importMs)),
    startMs: medianOf(starts.map(({ startMs }) => startMs)),
  };
}
