import { cp, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../../support/project.ts';

/** The files that a build is shown. */
export interface BuildContext {
  readonly folder: string;
  /** By the path in the folder. */
  readonly ignores: (file: string) => boolean;
}

/** A stage's file system, and the folder that paths are relative to. */
interface Place {
  readonly root: string;
  readonly workdir: string;
}

/**
 * COPY: a folder's content, and not the folder; a file under its name into a folder, else under the name given.
 *
 * @param paths The last is the target.
 */
export async function copy(
  paths: readonly string[],
  from: BuildContext | { readonly root: string },
  to: Place,
): Promise<void> {
  const sources = paths.slice(0, -1);
  const target = paths.at(-1) ?? '';
  const into = path.join(to.root, path.posix.resolve(to.workdir, target));
  const isFolder = target.endsWith('/') || target === '.';
  if (sources.length > 1 && !isFolder) throw new Error(`COPY of several needs a folder, not ${target}`);
  for (const source of sources) {
    if ('root' in from) await copyOf(path.join(from.root, source), into, isFolder);
    else await copyShown(source, from, into, isFolder);
  }
}

/** By a program, which takes the many files of a stage faster. */
async function copyOf(source: string, into: string, isFolder: boolean): Promise<void> {
  const isWhole = (await stat(source)).isDirectory();
  await mkdir(isWhole || isFolder ? into : path.dirname(into), { recursive: true });
  const { exitCode, output } = await run('cp', ['-a', isWhole ? `${source}/.` : source, into]);
  if (exitCode !== 0) throw new Error(output);
}

async function copyShown(
  source: string,
  { folder, ignores }: BuildContext,
  into: string,
  isFolder: boolean,
): Promise<void> {
  const found = path.join(folder, source);
  const isShown = (file: string) => !ignores(path.relative(folder, file));
  if (path.relative(folder, found).startsWith('..') || !isShown(found))
    throw new Error(`COPY ${source}: it is not among the files that the build is shown`);
  const isFile = (await stat(found)).isFile();
  const target = isFile && isFolder ? path.join(into, path.basename(source)) : into;
  await cp(found, target, { recursive: true, filter: isShown });
}
