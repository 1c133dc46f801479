import { type Account, DatabaseAdmin } from '../../../infra/local/database/database-admin.ts';
import {
  type DatabaseServer,
  type DatabaseServerOptions,
  startDatabaseServer,
} from '../../../infra/local/database/database-server.ts';
import { testFlavour } from './test-flavour.ts';

/** What tests use of a server, whether it is theirs alone or not: address, root's login and version. */
export type TestServer = Pick<DatabaseServer, 'host' | 'port' | 'user' | 'password' | 'flavour' | 'version'>;

export interface TestDatabase extends AsyncDisposable {
  readonly server: TestServer;
  /** As root, beside the code under test: `query`, `createDatabase`, `createUser`. */
  readonly admin: DatabaseAdmin;
  /** What the code under test should use: an ordinary account that owns the database `app` and nothing else. */
  readonly app: Account;
  /** Ends what was started for the test. */
  stop(): Promise<void>;
}

/** A database on a server of its own, which the test may take away: `halt`, `kill`, `start` and `restart`. */
export interface OwnDatabase extends TestDatabase {
  readonly server: DatabaseServer;
}

/** Starts a server for one test file alone, for tests that halt it or need other options of the server program. */
export async function startOwnDatabase(options: DatabaseServerOptions = {}): Promise<OwnDatabase> {
  const server = await startDatabaseServer({
    flavour: testFlavour(),
    onProgress: console.error,
    ...options,
  });
  return await makeDatabase(server, new DatabaseAdmin(server), async () => await server.stop());
}

/** Makes the database `app` and its account on a server that has neither. */
export async function makeDatabase<Server extends TestServer>(
  server: Server,
  admin: DatabaseAdmin,
  stopServer: () => Promise<void>,
): Promise<TestDatabase & { readonly server: Server }> {
  const app = { user: 'app', password: 'app-password', database: 'app' };
  await admin.createDatabase(app.database);
  await admin.createUser(app);
  const stop = async () => {
    await admin.close();
    await stopServer();
  };
  return { server, admin, app, stop, [Symbol.asyncDispose]: stop };
}
