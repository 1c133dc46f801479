import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './process/run-program.ts';

export interface DebianPackages {
  /** Package names, or regular expressions as apt-get takes them. */
  readonly names: readonly string[];
  /**
   * Debian release to take them from, with everything that they depend on, the C library too. Default: the system's
   * own Debian or Ubuntu archive, with those dependencies that the system lacks.
   */
  readonly release?: string;
}

/**
 * Downloads packages and unpacks them below `folder`. Nothing is installed, no root is needed, and the system's own
 * package lists are neither read nor written.
 */
export async function unpackDebianPackages(packages: DebianPackages, folder: string): Promise<void> {
  const apt = join(folder, '.apt');
  await mkdir(join(apt, 'lists/partial'), { recursive: true });
  await mkdir(join(apt, 'archives/partial'), { recursive: true });
  const { names, release } = packages;
  const origin = release === undefined ? SYSTEM_ORIGIN : await releaseOrigin(apt, release);

  // A broken third-party source fails the update although Debian's own lists arrived: the download decides.
  const updateFailure = await aptGet(apt, origin, ['update']).then(() => undefined, reasonOf);
  try {
    const download = ['install', '--yes', '--no-install-recommends', '--download-only'];
    await aptGet(apt, origin, [...download, ...names]);
  } catch (error) {
    const reasons = new Set([updateFailure, reasonOf(error)]);
    throw new Error([...reasons].filter((reason) => reason !== undefined).join('\n'), { cause: error });
  }
  for (const name of await readdir(join(apt, 'archives'))) {
    if (name.endsWith('.deb')) await runProgram('dpkg', ['-x', join(apt, 'archives', name), folder]);
  }
  await rm(apt, { recursive: true });
}

type AptOptions = Readonly<Record<string, string>>;

/** What the system has already need not be fetched. */
const SYSTEM_ORIGIN: AptOptions = { 'Dir::State::status': '/var/lib/dpkg/status' };

/** One release as the only source, for a system that has nothing yet. */
async function releaseOrigin(apt: string, release: string): Promise<AptOptions> {
  const sources = join(apt, 'release.sources');
  const status = join(apt, 'status');
  await writeFile(
    sources,
    [
      'Types: deb',
      'URIs: http://deb.debian.org/debian',
      `Suites: ${release}`,
      'Components: main',
      'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg',
      '',
    ].join('\n'),
  );
  await writeFile(status, '');
  return { 'Dir::State::status': status, 'Dir::Etc::SourceList': sources, 'Dir::Etc::SourceParts': '-' };
}

async function aptGet(apt: string, origin: AptOptions, commandArguments: readonly string[]): Promise<void> {
  const options: AptOptions = {
    ...origin,
    'Dir::State': apt,
    'Dir::State::Lists': join(apt, 'lists'),
    'Dir::Cache': apt,
    'Dir::Cache::Archives': join(apt, 'archives'),
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
