import type { TestProject } from 'vitest/node';
import { startDatabaseServer } from '../../../infra/local/database/database-server.ts';
import { serveOnce } from '../vitest/serve-once.ts';
import { readGlobalVariables } from './clean-server.ts';
import type { TestServer } from './own-database.ts';
import { testFlavour } from './test-flavour.ts';

/** What a test file needs to know of a server that it shares with others. */
export interface SharedServer extends TestServer {
  /** The server's global variables when it was new. */
  readonly variables: Readonly<Record<string, string>>;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Has a {@link SharedServer} for each worker, by its number. */
    databaseServers: string;
  }
}

/**
 * Vitest's global set-up: one database server per worker, started when a test file first asks for it. Test files of one
 * worker use it one after the other.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stops: (() => Promise<void>)[] = [];
  const { url, close } = await serveOnce(async (): Promise<SharedServer> => {
    const server = await startDatabaseServer({ flavour: testFlavour(), onProgress: console.error });
    stops.push(() => server.stop());
    const { host, port, user, password, flavour, version } = server;
    return { host, port, user, password, flavour, version, variables: await readGlobalVariables(server) };
  });
  project.provide('databaseServers', url);
  return async () => {
    await close();
    await Promise.all(stops.map((stop) => stop()));
  };
}
