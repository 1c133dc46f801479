import { inject } from 'vitest';
import { DatabaseAdmin } from '../../../infra/local/database/database-admin.ts';
import { assert } from '../../../lib/errors.ts';
import { askOnce } from '../vitest/serve-once.ts';
import { cleanServer } from './clean-server.ts';
import type { SharedServer } from './database-servers.ts';
import { makeDatabase, type TestDatabase } from './own-database.ts';

export type { TestDatabase } from './own-database.ts';

let isInUse = false;

/**
 * A fresh database for one test file, on the server that the files of a worker use one after the other. A file has one
 * at a time, and may change global variables and accounts: the next file finds none of it.
 */
export async function startTestDatabase(): Promise<TestDatabase> {
  assert(!isInUse, 'the server of this worker is in use: another database needs startOwnDatabase');
  isInUse = true;
  const { variables, ...server } = await askOnce<SharedServer>(
    inject('databaseServers'),
    process.env.VITEST_POOL_ID ?? '',
  );
  const admin = new DatabaseAdmin(server);
  await cleanServer(admin, variables);
  return await makeDatabase(server, admin, async () => {
    isInUse = false;
  });
}
