import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { findFreePort } from '../process/free-port.ts';
import { pollUntil } from '../process/poll-until.ts';
import { makeTemporaryFolder, removeTemporaryFolder } from '../process/temporary-folder.ts';
import { startWatched, type WatchedProcess } from '../process/watched-process.ts';
import { fillDataFolder, STORAGE_ARGUMENTS } from './data-folder.ts';
import { type DatabaseProgram, provideDatabaseProgram } from './database-program.ts';
import type { Flavour, OnProgress } from './debian-server.ts';
import { serverGreets } from './server-greeting.ts';

const START_TIMEOUT_MS = 30_000;
const POLL_INTERVAL_MS = 10;
const STOP_GRACE_MS = 10_000;

export interface DatabaseServerOptions {
  /** Default: what this machine has, else MariaDB. */
  readonly flavour?: Flavour | undefined;
  /** Folder for the data, made if it is not there, and kept. Default: a temporary one, removed by `stop()`. */
  readonly dataDir?: string;
  /** Default: any free one. */
  readonly port?: number;
  /** Default: the server's own, 151. */
  readonly maxConnections?: number;
  /** More of the server program's own options. */
  readonly extraArguments?: readonly string[];
  readonly onProgress?: OnProgress;
}

interface ServerSetup {
  readonly program: DatabaseProgram;
  readonly port: number;
  readonly dataDir: string;
  /** Socket, pid file and first statements; the data too, unless the caller named a folder for it. */
  readonly runDir: string;
  readonly extraArguments: readonly string[];
}

/** Starts a private database server with fresh data. It does not outlive this process. */
export async function startDatabaseServer(options: DatabaseServerOptions = {}): Promise<DatabaseServer> {
  const { flavour, onProgress = () => {}, maxConnections, extraArguments = [] } = options;
  const program = await provideDatabaseProgram(flavour, onProgress);
  const runDir = await makeTemporaryFolder('database');
  try {
    const dataDir = resolve(options.dataDir ?? join(runDir, 'data'));
    if (!existsSync(dataDir) || (await readdir(dataDir)).length === 0) {
      await fillDataFolder(program, dataDir, onProgress);
    }
    const limits = maxConnections === undefined ? [] : [`--max-connections=${maxConnections}`];
    for (;;) {
      const port = options.port ?? (await findFreePort());
      const setup = { program, port, dataDir, runDir, extraArguments: [...limits, ...extraArguments] };
      const server = new DatabaseServer(setup);
      try {
        await server.start();
        return server;
      } catch (error) {
        // Another process may have taken the free port before the server did.
        const lostItsPort = options.port === undefined && (await findFreePort(port)) !== port;
        if (!lostItsPort) throw error;
      }
    }
  } catch (error) {
    await removeTemporaryFolder(runDir);
    throw error;
  }
}

/** A private MySQL or MariaDB server on 127.0.0.1, with a `root` of its own. */
export class DatabaseServer {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly user = 'root';
  /** Random, and known only to us and, in a file closed to others, to the server. */
  readonly password = randomBytes(16).toString('hex');
  readonly flavour: Flavour;
  readonly version: string;
  readonly #setup: ServerSetup;
  #process: WatchedProcess | undefined;

  constructor(setup: ServerSetup) {
    this.#setup = setup;
    this.port = setup.port;
    this.flavour = setup.program.flavour;
    this.version = setup.program.version;
  }

  /** Of the running server. */
  get pid(): number | undefined {
    return this.#process?.running === true ? this.#process.pid : undefined;
  }

  /** The last lines of the server's own log. */
  get lastLines(): string {
    return this.#process?.lastLines ?? '';
  }

  /** Resolves once the server answers; again, on the same port and data, after `halt()` or `kill()`. */
  async start(): Promise<void> {
    if (this.pid !== undefined) return;
    const { program, runDir } = this.#setup;
    await rm(this.#pidFile, { force: true });
    await this.#writeFirstStatements();
    const server = await startWatched(program.path, this.#arguments(), {
      env: { ...process.env, ...program.env },
      ownedFolders: [runDir],
    });
    this.#process = server;
    try {
      // The pid file, written once the server listens, proves that the port is not somebody else's.
      await pollUntil(
        async (signal) => existsSync(this.#pidFile) && (await serverGreets(this.port, signal)),
        { intervalMs: POLL_INTERVAL_MS, timeoutMs: START_TIMEOUT_MS, hopeless: failWhenEnded(server) },
      );
    } catch (error) {
      await server.kill();
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`The database server did not start: ${reason}\n${server.lastLines}`, { cause: error });
    }
  }

  /** Shuts the server down in good order and keeps its data, so that `start()` brings it back. */
  async halt(): Promise<void> {
    await this.#process?.stop(STOP_GRACE_MS);
  }

  /** Ends the server without warning, as a crash does, and keeps its data. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  async restart(): Promise<void> {
    await this.halt();
    await this.start();
  }

  /** Ends the server for good and removes everything that was made for it. */
  async stop(): Promise<void> {
    await this.halt();
    await removeTemporaryFolder(this.#setup.runDir);
  }

  get #pidFile(): string {
    return join(this.#setup.runDir, 'pid');
  }

  get #firstStatements(): string {
    return join(this.#setup.runDir, 'first.sql');
  }

  #arguments(): string[] {
    const { program, port, dataDir, runDir, extraArguments } = this.#setup;
    return [
      ...program.arguments,
      `--datadir=${dataDir}`,
      `--tmpdir=${runDir}`,
      `--port=${port}`,
      `--bind-address=${this.host}`,
      `--socket=${join(runDir, 'socket')}`,
      `--pid-file=${this.#pidFile}`,
      `--init-file=${this.#firstStatements}`,
      '--skip-name-resolve',
      `--secure-file-priv=${runDir}`,
      '--key-buffer-size=1M',
      '--loose-aria-pagecache-buffer-size=2M',
      '--loose-mysqlx=OFF',
      '--innodb-flush-log-at-trx-commit=2',
      ...STORAGE_ARGUMENTS,
      ...extraArguments,
    ];
  }

  /** Accounts come by a file, because everybody may read another process's arguments. One statement per line. */
  async #writeFirstStatements(): Promise<void> {
    const root = `'${this.user}'@'${this.host}'`;
    const statements = [
      `CREATE USER IF NOT EXISTS ${root};`,
      `ALTER USER ${root} IDENTIFIED BY '${this.password}';`,
      `GRANT ALL PRIVILEGES ON *.* TO ${root} WITH GRANT OPTION;`,
      `DROP USER IF EXISTS 'root'@'localhost';`,
    ];
    await writeFile(this.#firstStatements, `${statements.join('\n')}\n`, { mode: 0o600 });
  }
}

async function failWhenEnded(server: WatchedProcess): Promise<never> {
  throw new Error(`it ${await server.ended}`);
}
