import { copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeDirectory, PROJECT, run, tool } from '../../support/project.ts';

/**
 * Puts the package into a project of somebody who installed it: as `npm pack` makes it, with the dependencies that
 * the project's package.json names.
 *
 * @param others More packages of this project that the other one has.
 */
export async function installPacked(consumer: string, others: readonly string[] = []): Promise<void> {
  const modules = path.join(consumer, 'node_modules');
  const installed = path.join(modules, 'serverless-conn-pool');
  await mkdir(installed, { recursive: true });
  await unpack(await pack(), installed);

  const { dependencies } = JSON.parse(await readFile(path.join(PROJECT, 'package.json'), 'utf8'));
  for (const name of new Set([...Object.keys(dependencies), ...others])) {
    await mkdir(path.dirname(path.join(modules, name)), { recursive: true });
    await symlink(path.join(PROJECT, 'node_modules', name), path.join(modules, name));
  }
}

/** Links the commands of what is installed, as `npm install` does. */
export async function linkCommands(consumer: string): Promise<void> {
  const { exitCode, output } = await run('npm', ['rebuild', '--ignore-scripts', '--offline'], consumer);
  if (exitCode !== 0) throw new Error(output);
}

/** Built aside, so that the project's own build stays as it is. */
async function pack(): Promise<string> {
  const staging = await makeDirectory();
  await succeed(tool('tsc'), ['-p', 'infra/tsconfig.build.json', '--outDir', path.join(staging, 'dist')]);
  for (const file of ['package.json', 'LICENSE'])
    await copyFile(path.join(PROJECT, file), path.join(staging, file));
  await succeed('npm', ['pack', '--ignore-scripts', '--offline'], staging);
  const archive = (await readdir(staging)).find((file) => file.endsWith('.tgz')) ?? 'none';
  return path.join(staging, archive);
}

async function unpack(archive: string, target: string): Promise<void> {
  await succeed('tar', ['-xzf', archive, '--strip-components=1', '-C', target]);
  await rm(path.dirname(archive), { recursive: true });
}

async function succeed(command: string, args: readonly string[], cwd = PROJECT): Promise<void> {
  const { exitCode, output } = await run(command, args, cwd);
  if (exitCode !== 0) throw new Error(output);
}

/** What a project needs to have its TypeScript checked. */
export async function writeTsconfig(consumer: string): Promise<void> {
  const compilerOptions = {
    module: 'nodenext',
    moduleResolution: 'nodenext',
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    types: ['node'],
  };
  await writeFile(path.join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
}
