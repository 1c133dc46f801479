import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { runProgram } from '../process/run-program.ts';
import { type Flavour, fetchDebianServer, type Launch, type OnProgress } from './debian-server.ts';

/** A MySQL or MariaDB server program that runs on this machine. */
export interface DatabaseProgram extends Launch {
  readonly flavour: Flavour;
  /** Three numbers, such as `10.11.19`. */
  readonly version: string;
  /** MariaDB's `mariadb-install-db`, which makes a data folder; `mysqld` makes its own. */
  readonly installerPath: string | undefined;
}

const PROGRAM_NAMES = ['mariadbd', 'mysqld'];
const USUAL_FOLDERS = [
  '/usr/sbin',
  '/usr/libexec',
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/local/mysql/bin',
  '/opt/homebrew/bin',
];

/**
 * Finds a server program on this machine, or else fetches Debian's into the cache folder. Only the program is used:
 * a server that the system runs, its data and its settings are never touched.
 *
 * @param flavour Default: what there is, else MariaDB.
 * @throws {Error} there is none and it cannot be fetched; the message says what to do.
 */
export async function provideDatabaseProgram(
  flavour: Flavour | undefined,
  onProgress: OnProgress,
): Promise<DatabaseProgram> {
  return (
    (await findInstalledProgram(flavour)) ?? (await fetchDatabaseProgram(flavour ?? 'mariadb', onProgress))
  );
}

async function findInstalledProgram(flavour: Flavour | undefined): Promise<DatabaseProgram | undefined> {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...USUAL_FOLDERS];
  for (const path of PROGRAM_NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))) {
    if (!existsSync(path)) continue;
    const program = await examine({ path: realpathSync(path), arguments: ['--no-defaults'], env: {} });
    if (program !== undefined && program.flavour === (flavour ?? program.flavour)) return program;
  }
  return undefined;
}

async function fetchDatabaseProgram(flavour: Flavour, onProgress: OnProgress): Promise<DatabaseProgram> {
  const launch = await fetchDebianServer(flavour, onProgress).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `No database server program was found, and Debian's could not be fetched:\n${reason}\n` +
        'Install one (mariadb-server or mysql-server; it need not run), or set DATABASE_URL to use a database that runs already.',
      { cause: error },
    );
  });
  const program = await examine(launch);
  if (program === undefined) {
    throw new Error(
      `The database server ${launch.path} does not run on this system. Delete the cache folder and try again.`,
    );
  }
  return program;
}

async function examine(launch: Launch): Promise<DatabaseProgram | undefined> {
  const answer = await runProgram(launch.path, [...launch.arguments, '--version'], { env: launch.env }).catch(
    () => '',
  );
  const version = /Ver (\d+\.\d+\.\d+)/.exec(answer)?.[1];
  if (version === undefined) return undefined;
  if (!answer.includes('MariaDB')) return { ...launch, flavour: 'mysql', version, installerPath: undefined };
  const installerPath = findInstaller(launch.path);
  return installerPath === undefined ? undefined : { ...launch, flavour: 'mariadb', version, installerPath };
}

function findInstaller(programPath: string): string | undefined {
  const folders = ['.', '../bin', '../scripts'].map((way) => join(dirname(programPath), way));
  return ['mariadb-install-db', 'mysql_install_db']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}
