import { type Account, DatabaseAdmin } from '../../infra/local/database-admin.ts';
import {
  type DatabaseServer,
  type DatabaseServerOptions,
  startDatabaseServer,
} from '../../infra/local/database-server.ts';
import type { Flavour } from '../../infra/local/debian-server.ts';

export interface TestDatabase extends AsyncDisposable {
  /** Host, port and root; `halt`, `kill`, `start` and `restart` for tests that take the database away. */
  readonly server: DatabaseServer;
  /** As root, beside the code under test: `query`, `createDatabase`, `createUser`. */
  readonly admin: DatabaseAdmin;
  /** What the code under test should use: an ordinary account that owns the database `app` and nothing else. */
  readonly app: Account;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

/**
 * Starts a database server for one test file. Stop it in `afterAll`. The environment variable TEST_DATABASE says of
 * which flavour: `mysql` or `mariadb`; default: what this machine has, else MariaDB.
 */
export async function startTestDatabase(options: DatabaseServerOptions = {}): Promise<TestDatabase> {
  const flavour = readFlavour(process.env.TEST_DATABASE);
  const server = await startDatabaseServer({ flavour, onProgress: console.error, ...options });
  const admin = new DatabaseAdmin(server);
  const app = { user: 'app', password: 'app-password', database: 'app' };
  await admin.createDatabase(app.database);
  await admin.createUser(app);
  const stop = async () => {
    await admin.close();
    await server.stop();
  };
  return { server, admin, app, stop, [Symbol.asyncDispose]: stop };
}

function readFlavour(name: string | undefined): Flavour | undefined {
  if (name === undefined || name === 'mysql' || name === 'mariadb') return name;
  throw new Error('TEST_DATABASE must be mysql or mariadb');
}
