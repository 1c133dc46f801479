import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { succeed } from '../../support/packages/npm-package.ts';
import { sharedPackage } from '../../support/packages/shared-packages.ts';
import { PROJECT } from '../../support/project.ts';

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
  const { archive } = await sharedPackage();
  await succeed('tar', ['-xzf', archive, '--strip-components=1', '-C', installed]);

  const { dependencies } = JSON.parse(await readFile(path.join(PROJECT, 'package.json'), 'utf8'));
  for (const name of new Set([...Object.keys(dependencies), ...others])) {
    await mkdir(path.dirname(path.join(modules, name)), { recursive: true });
    await symlink(path.join(PROJECT, 'node_modules', name), path.join(modules, name));
  }
}

/** Links the commands of what is installed, as `npm install` does. */
export async function linkCommands(consumer: string): Promise<void> {
  await succeed('npm', ['rebuild', '--ignore-scripts', '--offline'], consumer);
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
