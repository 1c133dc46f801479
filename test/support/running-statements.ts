import type { TestDatabase } from './database/database.ts';
import { eventually } from './http.ts';

/** Threads of the application's account that run a statement which is LIKE the pattern. */
export async function runningStatements({ admin, app }: TestDatabase, pattern = '%'): Promise<number[]> {
  const rows = await admin.query(
    'SELECT id FROM information_schema.processlist WHERE user = ? AND info LIKE ?',
    [app.user, pattern],
  );
  return rows.map(({ id }) => Number(id));
}

/** Waits until at least so many statements that are LIKE the pattern run. Their threads. */
export async function untilRunning(database: TestDatabase, pattern = '%', times = 1): Promise<number[]> {
  return await eventually(
    async () => await runningStatements(database, pattern),
    (threads) => threads.length >= times,
  );
}

/** Waits until no statement that is LIKE the pattern runs. */
export async function untilNoneRuns(database: TestDatabase, pattern = '%'): Promise<void> {
  await eventually(
    async () => await runningStatements(database, pattern),
    (threads) => threads.length === 0,
  );
}
