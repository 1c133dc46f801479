import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { type DatabaseServer, startDatabaseServer } from '../../../infra/local/database/database-server.ts';
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
    /** URL that answers `/{worker}` with that worker's {@link SharedServer}. */
    databaseServers: string;
  }
}

/**
 * Vitest's global set-up: one database server per worker, started when a test file first asks for it. Test files of one
 * worker use it one after the other.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers = new Map<string, Promise<DatabaseServer>>();
  const serverOf = (worker: string) => {
    const server =
      servers.get(worker) ?? startDatabaseServer({ flavour: testFlavour(), onProgress: console.error });
    servers.set(worker, server);
    return server;
  };
  const variables = new Map<string, Promise<Record<string, string>>>();
  const http = createServer((request, response) => {
    const worker = request.url ?? '';
    const answer = async (): Promise<SharedServer> => {
      const server = await serverOf(worker);
      const { host, port, user, password, flavour, version } = server;
      const read = variables.get(worker) ?? readGlobalVariables(server);
      variables.set(worker, read);
      return { host, port, user, password, flavour, version, variables: await read };
    };
    answer().then(
      (shared) => response.end(JSON.stringify(shared)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  project.provide('databaseServers', `http://127.0.0.1:${port}`);
  return async () => {
    http.closeAllConnections();
    http.close();
    const started = await Promise.allSettled(servers.values());
    await Promise.all(
      started.map(async (result) => result.status === 'fulfilled' && (await result.value.stop())),
    );
  };
}
