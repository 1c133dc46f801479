import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { findFreePort } from '../../../../infra/local/process/free-port.ts';
import type { Image } from './build-image.ts';

const ISOLATE = path.join(import.meta.dirname, 'isolate.sh');
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Of a user who has no entry in passwd; nothing is there. */
const HOME = '/home/node';
const isRoot = process.getuid?.() === 0;

export interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
}

export interface Running {
  readonly url: string;
  /** With what it is told: its port. */
  readonly environment: Readonly<Record<string, string>>;
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/**
 * An image with a file system that cannot be written. Where we may mount, the image has a root of its own and everything is
 * mounted read-only; elsewhere it stays where it is, and the modes of its files forbid.
 */
export class Container {
  readonly isIsolated: boolean;
  readonly #image: Image;
  readonly #files: Readonly<Record<string, string>>;
  readonly #mountPoint: string;
  #nodeFolder = path.dirname(process.execPath);

  /** @param files That it is shown besides, by the path that they have in it. */
  constructor(image: Image, files: Readonly<Record<string, string>> = {}) {
    this.#image = image;
    this.#files = files;
    this.#mountPoint = `${image.root}.mounted`;
    mkdirSync(this.#mountPoint, { recursive: true });
    this.isIsolated =
      isRoot && spawnSync('unshare', this.#isolated(['true']), { env: { PATH: SYSTEM_PATH } }).status === 0;
    if (this.isIsolated) return;
    execFileSync('chmod', ['-R', 'a-w', image.root]);
    // Node may be where only root may look.
    if (isRoot) {
      this.#nodeFolder = `${image.root}.node`;
      mkdirSync(this.#nodeFolder, { recursive: true });
      copyFileSync(process.execPath, path.join(this.#nodeFolder, 'node'));
    }
  }

  /** Where the image finds a path of its own. */
  pathOf(inImage: string): string {
    return this.isIsolated ? inImage : (this.#files[inImage] ?? path.join(this.#image.root, inImage));
  }

  /** Runs a command to its end. */
  async run(command: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return await ended(this.#spawn(command, environment));
  }

  /** Starts the image's own command on a free port and waits until it listens. */
  async start(variables: Readonly<Record<string, string>>): Promise<Running> {
    const port = await findFreePort();
    const environment = { ...variables, PORT: String(port) };
    const child = this.#spawn(this.#image.command, environment);
    const end = ended(child);
    const listens = new Promise<void>((resolve) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        if (chunk.includes('Server listening at')) resolve();
      });
    });
    await Promise.race([listens, end.then(({ output }) => Promise.reject(new Error(output)))]);
    return { url: `http://127.0.0.1:${port}`, environment, child, ended: end };
  }

  #spawn(command: readonly string[], environment: Readonly<Record<string, string>>): ChildProcess {
    const { env, workdir, user, root } = this.#image;
    const nodePath = `${this.#nodeFolder}:${SYSTEM_PATH}`;
    const options = { env: { PATH: nodePath, HOME, ...env, ...environment } };
    if (this.isIsolated) return spawn('unshare', this.#isolated(command), options);
    const [program = '', ...args] = command;
    const id = isRoot ? { uid: Number(user), gid: Number(user) } : {};
    return spawn(program, args, { ...options, ...id, cwd: path.join(root, workdir) });
  }

  #isolated(command: readonly string[]): string[] {
    const { root, workdir, user } = this.#image;
    const shown = Object.entries(this.#files).map(([inImage, file]) => `${file}=${inImage}`);
    const place = [root, this.#mountPoint, this.#nodeFolder, workdir, user];
    return ['-m', 'sh', ISOLATE, ...place, ...shown, '--', ...command];
  }
}

async function ended(child: ChildProcess): Promise<Ended> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  }
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, output };
}
