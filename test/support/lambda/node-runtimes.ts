import { join } from 'node:path';
import { cacheFolder, makeFolderOnce } from '../../../infra/local/process/cache-folder.ts';
import { runProgram } from '../../../infra/local/process/run-program.ts';

/** A Node.js that functions run on. */
export interface NodeRuntime {
  readonly version: string;
  readonly node: string;
}

/**
 * The environment variable TEST_NODE_MAJORS says which: `22,24` fetches their newest releases from the npm registry.
 * Default: the Node.js at hand.
 */
export async function nodeRuntimes(): Promise<readonly NodeRuntime[]> {
  const majors = (process.env.TEST_NODE_MAJORS ?? '').split(',').filter((major) => major !== '');
  if (majors.length === 0) return [{ version: process.versions.node, node: process.execPath }];
  return await Promise.all(majors.map(fetchNode));
}

async function fetchNode(major: string): Promise<NodeRuntime> {
  const program = `node-linux-${process.arch}`;
  const folder = join(cacheFolder(), `node-${major}-${process.arch}`);
  await makeFolderOnce(folder, async (draft) => {
    console.error(`Fetching Node.js ${major} ...`);
    const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts'];
    await runProgram('npm', ['install', ...quiet, '--prefix', draft, `${program}@${major}`]);
  });
  const node = join(folder, 'node_modules', program, 'bin/node');
  return { version: (await runProgram(node, ['--version'])).trim().slice(1), node };
}
