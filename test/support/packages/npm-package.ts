import { cp, readdir } from 'node:fs/promises';
import path from 'node:path';
import { makeDirectory, PROJECT, run, tool } from '../project.ts';

/** Beside `dist`. */
const PACKED = ['package.json', 'LICENSE', 'README.md', 'lib/client/README.md', 'lib/protocol/README.md'];

export interface BuiltPackage {
  /** What is packed: `dist`, package.json, the pages. For the caller to remove. */
  readonly folder: string;
  readonly archive: string;
}

/** Builds and packs aside, so that the project's own build stays as it is. */
export async function buildPackage(): Promise<BuiltPackage> {
  const folder = await makeDirectory();
  await succeed(tool('tsc'), ['-p', 'infra/tsconfig.build.json', '--outDir', path.join(folder, 'dist')]);
  for (const file of PACKED) await cp(path.join(PROJECT, file), path.join(folder, file), { recursive: true });
  await succeed('npm', ['pack', '--ignore-scripts', '--offline'], folder);
  const archive = (await readdir(folder)).find((file) => file.endsWith('.tgz')) ?? 'none';
  return { folder, archive: path.join(folder, archive) };
}

/** @throws with what the program wrote, if it fails. */
export async function succeed(command: string, args: readonly string[], cwd = PROJECT): Promise<string> {
  const { exitCode, output } = await run(command, args, cwd);
  if (exitCode !== 0) throw new Error(output);
  return output;
}
