import { constants } from 'node:fs';
import { chmod, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, makeFolderOnce } from '../process/cache-folder.ts';
import { runProgram } from '../process/run-program.ts';
import type { DatabaseProgram } from './database-program.ts';
import type { OnProgress } from './debian-server.ts';

/** How the private server stores data: small files and buffers, no log that nobody reads. `loose` options exist in one flavour only. */
export const STORAGE_ARGUMENTS: readonly string[] = [
  '--loose-innodb-log-file-size=16M',
  '--loose-innodb-redo-log-capacity=16M',
  '--innodb-buffer-pool-size=32M',
  // Containers often allow no asynchronous I/O.
  '--innodb-use-native-aio=OFF',
  '--performance-schema=OFF',
  '--skip-log-bin',
  // Its thread would be counted among the connections.
  '--event-scheduler=OFF',
  // Root must say that it means it.
  ...(process.getuid?.() === 0 ? ['--user=root'] : []),
];

/** Fills `folder` with the data of a new, empty server, whose `root`@`localhost` has no password. */
export async function fillDataFolder(
  program: DatabaseProgram,
  folder: string,
  onProgress: OnProgress,
): Promise<void> {
  // One per user: data folders are closed to others.
  const name = `data-${program.flavour}-${program.version}-uid${process.getuid?.() ?? 0}`;
  const template = join(cacheFolder(), name);
  await makeFolderOnce(template, async (draft) => {
    onProgress('Making a fresh data folder (once) ...');
    await installData(program, draft);
  });
  await cp(template, folder, { recursive: true, mode: constants.COPYFILE_FICLONE });
  await chmod(folder, 0o700);
}

async function installData(program: DatabaseProgram, folder: string): Promise<void> {
  const common = [...program.arguments, `--datadir=${folder}`, ...STORAGE_ARGUMENTS];
  const { installerPath, env } = program;
  if (installerPath === undefined) {
    await runProgram(program.path, [...common, '--secure-file-priv=NULL', '--initialize-insecure'], { env });
    return;
  }
  await runProgram(
    installerPath,
    [
      ...common,
      // Goes on where the machine's own host name does not resolve, as in many containers.
      '--force',
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--skip-name-resolve',
    ],
    { env },
  );
}
