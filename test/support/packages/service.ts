import { readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Template } from '../../../infra/deployment/template.ts';
import { makeDirectory, PROJECT, run, tool } from '../project.ts';

const PARTS = ['package.json', 'node_modules', 'infra', 'functions', 'lib'];
/** Preloaded into every process: each try to reach somebody leaves a line in NETWORK_LOG. */
export const NO_NETWORK = pathToFileURL(path.join(import.meta.dirname, 'no-network.mjs')).href;

export interface PackagedService {
  /** For the caller to remove. */
  readonly folder: string;
  readonly exitCode: number;
  readonly output: string;
  /** A line for each try to reach anybody. */
  readonly networkCalls: string;
  /** The folder of the archives and the template. */
  readonly packaged: string;
}

/**
 * Packages the project's service, beside and not in the project: others may be at it too.
 *
 * @param edit Changes serverless.yml before.
 * @param command Of osls. Default: package.
 */
export async function packageService(
  args: readonly string[] = [],
  edit: (serverlessYml: string) => string = (text) => text,
  command: 'package' | 'deploy' = 'package',
): Promise<PackagedService> {
  const folder = await makeDirectory();
  for (const part of PARTS) await symlink(path.join(PROJECT, part), path.join(folder, part));
  const serverlessYml = await readFile(path.join(PROJECT, 'serverless.yml'), 'utf8');
  await writeFile(path.join(folder, 'serverless.yml'), edit(serverlessYml));
  const networkLog = path.join(folder, 'network.log');
  await writeFile(networkLog, '');
  const { exitCode, output } = await run(tool('osls'), [command, ...args], folder, {
    NODE_OPTIONS: `--import=${NO_NETWORK}`,
    NETWORK_LOG: networkLog,
  });
  return {
    folder,
    exitCode,
    output,
    networkCalls: await readFile(networkLog, 'utf8'),
    packaged: path.join(folder, '.serverless'),
  };
}

export async function templateOf({ packaged }: Pick<PackagedService, 'packaged'>): Promise<Template> {
  return JSON.parse(await readFile(path.join(packaged, 'cloudformation-template-update-stack.json'), 'utf8'));
}
