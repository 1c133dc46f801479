import { existsSync, realpathSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { cacheFolder, makeFolderOnce } from './cache-folder.ts';
import { unpackDebianPackages } from './debian-packages.ts';
import { runProgram } from './run-program.ts';

/** How a program that is not at its usual place finds its files: first arguments and environment of every run. */
interface Place {
  readonly arguments: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** A MySQL or MariaDB server program that runs on this machine. */
export interface DatabaseProgram extends Place {
  readonly path: string;
  readonly flavour: 'mariadb' | 'mysql';
  /** Three numbers, such as `10.11.19`. */
  readonly version: string;
  /** MariaDB's `mariadb-install-db`, which makes a data folder; `mysqld` makes its own. */
  readonly installerPath: string | undefined;
}

export type OnProgress = (message: string) => void;

const USUAL_PLACE: Place = { arguments: [], env: {} };
const PROGRAM_NAMES = ['mariadbd', 'mysqld'];
const USUAL_FOLDERS = [
  '/usr/sbin',
  '/usr/libexec',
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/local/mysql/bin',
  '/opt/homebrew/bin',
];
/** Server and client-core, under their Debian names or with a version behind as Ubuntu had it. */
const DEBIAN_PACKAGES = ['^mariadb-(server|client)-core(-[0-9.]+)?$'];

/**
 * Finds a server program on this machine, or else fetches Debian's MariaDB into the cache folder. Only the
 * program is used: a server that the system runs, its data and its settings are never touched.
 *
 * @throws {Error} there is none and it cannot be fetched; the message says what to do.
 */
export async function provideDatabaseProgram(onProgress: OnProgress): Promise<DatabaseProgram> {
  return (await findInstalledProgram()) ?? (await fetchDatabaseProgram(onProgress));
}

async function findInstalledProgram(): Promise<DatabaseProgram | undefined> {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...USUAL_FOLDERS];
  for (const path of PROGRAM_NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))) {
    const program = existsSync(path) ? await examine(realpathSync(path)) : undefined;
    if (program !== undefined) return program;
  }
  return undefined;
}

/** The cache folder's own program, fetched now if it is not there. */
async function fetchDatabaseProgram(onProgress: OnProgress): Promise<DatabaseProgram> {
  const folder = join(cacheFolder(), `mariadb-${process.platform}-${process.arch}`);
  try {
    await makeFolderOnce(folder, async (draft) => {
      onProgress("Fetching Debian's MariaDB server (about 20 MB, once) ...");
      await unpackDebianPackages(DEBIAN_PACKAGES, draft);
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `No MySQL or MariaDB server program was found, and Debian's could not be fetched:\n${reason}\n` +
        'Install one (mariadb-server or mysql-server; it need not run), or set DATABASE_URL to use a database that runs already.',
      { cause: error },
    );
  }
  const program = await examine(join(folder, 'usr/sbin/mariadbd'), await unpackedPlace(folder));
  if (program === undefined) {
    throw new Error(
      `The database server in ${folder} does not run on this system. Delete that folder and try again.`,
    );
  }
  return program;
}

async function examine(path: string, place: Place = USUAL_PLACE): Promise<DatabaseProgram | undefined> {
  const answer = await runProgram(path, ['--no-defaults', '--version'], { env: place.env }).catch(() => '');
  const version = /Ver (\d+\.\d+\.\d+)/.exec(answer)?.[1];
  if (version === undefined) return undefined;
  if (!answer.includes('MariaDB'))
    return { path, flavour: 'mysql', version, installerPath: undefined, ...place };
  const installerPath = findInstaller(path);
  return installerPath === undefined
    ? undefined
    : { path, flavour: 'mariadb', version, installerPath, ...place };
}

async function unpackedPlace(folder: string): Promise<Place> {
  return {
    arguments: [`--basedir=${join(folder, 'usr')}`, `--lc-messages-dir=${join(folder, 'usr/share/mysql')}`],
    env: { LD_LIBRARY_PATH: (await libraryFolders(folder)).join(delimiter) },
  };
}

function findInstaller(programPath: string): string | undefined {
  const folders = ['.', '../bin', '../scripts'].map((way) => join(dirname(programPath), way));
  return ['mariadb-install-db', 'mysql_install_db']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}

/** Debian keeps libraries one level down, in a folder named after the architecture. */
async function libraryFolders(root: string): Promise<string[]> {
  const parents = [join(root, 'usr/lib'), join(root, 'lib')].filter((folder) => existsSync(folder));
  const lists = await Promise.all(
    parents.map(async (parent) => (await readdir(parent)).map((name) => join(parent, name))),
  );
  return [...parents, ...lists.flat()];
}
