import { inject } from 'vitest';
import { DatabaseAdmin } from '../../../infra/local/database/database-admin.ts';
import { assert } from '../../../lib/errors.ts';
import { borrow } from '../vitest/lend-each.ts';
import { cleanServer } from './clean-server.ts';
import type { SharedServer } from './database-servers.ts';
import { makeDatabase, type TestDatabase } from './own-database.ts';

export type { TestDatabase } from './own-database.ts';

let isInUse = false;

/**
 * A fresh database for one test file, on a server that other files use before and after it. A file has one at a time, and may change global variables and accounts: the next file finds none of it.
 */
export async function startTestDatabase(): Promise<TestDatabase> {
  assert(!isInUse, 'this file has a server already: another database needs startOwnDatabase');
  isInUse = true;
  const { thing, giveBack } = await borrow<SharedServer>(inject('databaseServers'));
  const { variables, ...server } = thing;
  const admin = new DatabaseAdmin(server);
  await cleanServer(admin, variables);
  return await makeDatabase(server, admin, async () => {
    isInUse = false;
    await giveBack();
  });
}
