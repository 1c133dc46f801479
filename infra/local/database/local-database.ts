import { randomBytes } from 'node:crypto';
import { openDriver } from '../../../lib/mysql/driver/open-driver.ts';
import { encryptionOf } from '../../../lib/mysql/driver/tls.ts';
import { MYSQL_PORT } from '../../../lib/settings/servers.ts';
import { runStep } from '../step.ts';
import { DatabaseAdmin } from './database-admin.ts';
import { startDatabaseServer } from './database-server.ts';
import { createDemoData, DEMO_DATABASE } from './demo-data.ts';

interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** The database that the local broker serves as `default`. */
export interface LocalDatabase extends Address {
  /** Has the tables of infra/local/database/demo-data.ts. */
  readonly hasDemoData: boolean;
  stop(): Promise<void>;
}

/** So that a mistake is told within five seconds. */
const LOGIN_TIMEOUT_MS = 2_500;

/** @param url `mysql://user:password@host:port/database` of a database that runs already and is used as it is. */
export function useDatabase(url: string): LocalDatabase {
  const address = parseAddress(url);
  // The message does not repeat the address, which holds a password.
  if (address === undefined) throw new Error('DATABASE_URL must be mysql://user:password@host:port/database');
  return { ...address, hasDemoData: false, stop: async () => {} };
}

/**
 * Logs in once, as the local broker will.
 *
 * @throws {Error} why that fails, after a few seconds at most. It names neither password nor user.
 */
export async function checkLogin({ host, port, user, password, database }: LocalDatabase): Promise<void> {
  const login = { versionId: '', host, port, database, username: user, password };
  try {
    const { connection } = await openDriver(login, encryptionOf('off'), LOGIN_TIMEOUT_MS);
    connection.end();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Nobody can log in at ${host}:${port}, which DATABASE_URL names. ${reason}.`, { cause });
  }
}

function parseAddress(url: string): Address | undefined {
  try {
    const { protocol, hostname, port, username, password, pathname } = new URL(url);
    const address = {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? MYSQL_PORT : Number(port),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
      database: decodeURIComponent(pathname.slice(1)),
    };
    const isComplete = address.host !== '' && address.user !== '' && address.database !== '';
    return protocol === 'mysql:' && isComplete ? address : undefined;
  } catch {
    return undefined;
  }
}

/** A private server with the demo data and an ordinary account. */
export async function startDemoDatabase(onProgress: (message: string) => void): Promise<LocalDatabase> {
  const server = await runStep('Starting a private database server', () =>
    startDatabaseServer({ onProgress }),
  );
  const admin = new DatabaseAdmin(server);
  const account = { user: 'app', password: randomBytes(16).toString('hex'), database: DEMO_DATABASE };
  await runStep('Making the demo database "shop": customers, products, ten thousand orders', async () => {
    await createDemoData(admin, server);
    await admin.createUser(account);
    await admin.close();
  });
  return {
    ...account,
    host: server.host,
    port: server.port,
    hasDemoData: true,
    stop: () => server.stop(),
  };
}
