import type { TestProject } from 'vitest/node';
import { startDatabaseServer } from '../../../infra/local/database/database-server.ts';
import { lendEach } from '../vitest/lend-each.ts';
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
    /** Lends a {@link SharedServer} to each test file that asks for one. */
    databaseServers: string;
  }
}

/**
 * Vitest's global set-up: as many database servers as files use one at the same time, started when they are first needed.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stops: (() => Promise<void>)[] = [];
  const { url, close } = await lendEach(async (): Promise<SharedServer> => {
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
