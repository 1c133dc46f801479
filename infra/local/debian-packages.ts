import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

/**
 * Downloads packages of the system's own Debian or Ubuntu archive, with those dependencies that this system
 * lacks, and unpacks them below `folder`. Nothing is installed, no root is needed, and the system's own
 * package lists are neither read nor written.
 *
 * @param names Package names, or regular expressions as apt-get takes them.
 */
export async function unpackDebianPackages(names: readonly string[], folder: string): Promise<void> {
  const apt = join(folder, '.apt');
  await mkdir(join(apt, 'lists/partial'), { recursive: true });
  await mkdir(join(apt, 'archives/partial'), { recursive: true });

  // A broken third-party source fails the update although Debian's own lists arrived: the download decides.
  const updateFailure = await aptGet(apt, ['update']).then(() => undefined, reasonOf);
  try {
    await aptGet(apt, ['install', '--yes', '--no-install-recommends', '--download-only', ...names]);
  } catch (error) {
    const reasons = new Set([updateFailure, reasonOf(error)]);
    throw new Error([...reasons].filter((reason) => reason !== undefined).join('\n'), { cause: error });
  }
  for (const name of await readdir(join(apt, 'archives'))) {
    if (name.endsWith('.deb')) await runProgram('dpkg', ['-x', join(apt, 'archives', name), folder]);
  }
  await rm(apt, { recursive: true });
}

async function aptGet(apt: string, commandArguments: readonly string[]): Promise<void> {
  const options = {
    'Dir::State': apt,
    'Dir::State::Lists': join(apt, 'lists'),
    'Dir::Cache': apt,
    'Dir::Cache::Archives': join(apt, 'archives'),
    // What the system has already need not be fetched.
    'Dir::State::status': '/var/lib/dpkg/status',
    // With download only nothing but our own folder changes, so an ordinary user needs no lock on the system's.
    'Debug::NoLocking': 'true',
    // As root, apt would download as the user _apt, who may not write here.
    'APT::Sandbox::User': 'root',
    // Without this, an update that got nothing says so and still succeeds.
    'APT::Update::Error-Mode': 'any',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
  };
  const optionArguments = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await runProgram('apt-get', ['-q', ...optionArguments, ...commandArguments]);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
