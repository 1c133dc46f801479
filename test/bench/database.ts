import type { Account } from '../../infra/local/database/database-admin.ts';
import { startOwnDatabase, type TestDatabase } from '../support/database/own-database.ts';
import { COUNTERS, KEYS } from './statements.ts';

/** All subjects' pools beside each other, and the 151 that a server allows by default for whoever has none. */
const MAX_CONNECTIONS = 251;

export interface BenchDatabase extends AsyncDisposable {
  readonly database: TestDatabase;
  /** A user of its own for each subject, so that the server's count tells them apart. */
  account(user: string): Promise<Account>;
}

export async function startBenchDatabase(extraArguments: readonly string[] = []): Promise<BenchDatabase> {
  const database = await startOwnDatabase({ maxConnections: MAX_CONNECTIONS, extraArguments });
  const { admin, app } = database;
  for (const sql of [
    'CREATE TABLE items (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL, price DECIMAL(10,2) NOT NULL)',
    'CREATE TABLE sink (id INT AUTO_INCREMENT PRIMARY KEY, n INT NOT NULL)',
    'CREATE TABLE counters (id INT PRIMARY KEY, n INT NOT NULL)',
  ]) {
    await admin.query(sql.replace('TABLE ', `TABLE ${app.database}.`));
  }
  await fill(database, 'items', KEYS, (id) => `(${id}, 'item ${id}', ${id} / 7)`);
  await fill(database, 'counters', COUNTERS, (id) => `(${id}, 0)`);
  return {
    database,
    account: async (user) => {
      const account = { ...app, user };
      await admin.createUser(account);
      return account;
    },
    [Symbol.asyncDispose]: database.stop,
  };
}

async function fill(
  { admin, app }: TestDatabase,
  table: string,
  count: number,
  row: (id: number) => string,
): Promise<void> {
  const rows = Array.from({ length: count }, (_, index) => row(index + 1));
  await admin.query(`INSERT INTO ${app.database}.${table} VALUES ${rows.join(', ')}`);
}
