import { join } from 'node:path';
import { build } from 'esbuild';

const PROJECT = join(import.meta.dirname, '../..');
const FOLDER = join(PROJECT, 'dist/bench');
const MODULES = [
  'services/floor',
  'services/connect-each',
  'services/echo',
  'services/delaying-proxy',
  'load/http-load',
  'load/pool-load',
  'load/function-load',
];

export type CompiledModule = 'floor' | 'connect-each' | 'echo' | 'delaying-proxy' | LoadModule;
export type LoadModule = 'http-load' | 'pool-load' | 'function-load';

/** Compiles what runs in processes of its own: a loader for TypeScript would take memory and time in each of them. */
export async function compileModules(): Promise<void> {
  await build({
    entryPoints: MODULES.map((module) => join(import.meta.dirname, `${module}.ts`)),
    outdir: FOLDER,
    entryNames: '[name]',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
  });
}

export function compiledPath(module: CompiledModule): string {
  return join(FOLDER, `${module}.mjs`);
}
