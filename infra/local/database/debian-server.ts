import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type DebianPackages, unpackDebianPackages } from '../debian-packages.ts';
import { cacheFolder, makeFolderOnce } from '../process/cache-folder.ts';

export type Flavour = 'mariadb' | 'mysql';
export type OnProgress = (message: string) => void;

/** How to run a server program, wherever its files are: first arguments and environment of every run. */
export interface Launch {
  readonly path: string;
  readonly arguments: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

interface DebianServer {
  readonly title: string;
  readonly packages: DebianPackages;
  readonly launch: (folder: string) => Promise<Launch>;
}

const SERVERS: Readonly<Record<Flavour, DebianServer>> = {
  mariadb: {
    title: 'MariaDB server (about 20 MB, once)',
    // Server and client-core, under their Debian names or with a version behind as Ubuntu had it.
    packages: { names: ['^mariadb-(server|client)-core(-[0-9.]+)?$'] },
    launch: launchWithSystem,
  },
  mysql: {
    title: 'MySQL server (about 60 MB, once)',
    // No stable release carries MySQL.
    packages: { names: ['mysql-server-core'], release: 'sid' },
    launch: launchWithOwnSystem,
  },
};

/**
 * How to run Debian's server, which is fetched into the cache folder if it is not there.
 *
 * @throws {Error} it cannot be fetched.
 */
export async function fetchDebianServer(flavour: Flavour, onProgress: OnProgress): Promise<Launch> {
  const folder = join(cacheFolder(), `${flavour}-${process.platform}-${process.arch}`);
  const { title, packages, launch } = SERVERS[flavour];
  await makeFolderOnce(folder, async (draft) => {
    onProgress(`Fetching Debian's ${title} ...`);
    await unpackDebianPackages(packages, draft);
  });
  return await launch(folder);
}

/** With the system's C library and whatever else the system has. */
async function launchWithSystem(folder: string): Promise<Launch> {
  return {
    path: join(folder, 'usr/sbin/mariadbd'),
    arguments: serverArguments(folder),
    env: { LD_LIBRARY_PATH: (await libraryFolders(folder)).join(delimiter) },
  };
}

/** With nothing of the system: a newer C library works only through the dynamic loader that belongs to it. */
async function launchWithOwnSystem(folder: string): Promise<Launch> {
  const folders = await libraryFolders(folder);
  const libraries = ['--library-path', folders.join(delimiter)];
  return {
    path: await findLoader(folders),
    arguments: [...libraries, join(folder, 'usr/sbin/mysqld'), ...serverArguments(folder)],
    env: {},
  };
}

/** The system's own settings are never read. */
function serverArguments(folder: string): string[] {
  const basedir = join(folder, 'usr');
  return ['--no-defaults', `--basedir=${basedir}`, `--lc-messages-dir=${join(basedir, 'share/mysql')}`];
}

/** Debian keeps libraries one level down, in a folder named after the architecture. */
async function libraryFolders(root: string): Promise<string[]> {
  const parents = [join(root, 'usr/lib'), join(root, 'lib')].filter((folder) => existsSync(folder));
  const lists = await Promise.all(
    parents.map(async (parent) => (await readdir(parent)).map((name) => join(parent, name))),
  );
  return [...parents, ...lists.flat()];
}

async function findLoader(folders: readonly string[]): Promise<string> {
  for (const folder of folders) {
    const name = (await readdir(folder)).find((entry) => /^ld-linux.*\.so/.test(entry));
    if (name !== undefined) return join(folder, name);
  }
  throw new Error('The packages hold no dynamic loader');
}
