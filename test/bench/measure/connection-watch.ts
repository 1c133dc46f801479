import { setTimeout as delay } from 'node:timers/promises';
import type { TestDatabase } from '../../support/database/own-database.ts';

export interface ConnectionSample {
  /** Since the watch began. */
  readonly atMs: number;
  readonly connections: number;
}

/** Runs `work` while the server is asked again and again how many connections of `user` it has. */
export async function watchConnections<T>(
  { admin }: TestDatabase,
  user: string | undefined,
  intervalMs: number,
  work: () => Promise<T>,
): Promise<{ result: T; samples: ConnectionSample[] }> {
  const sinceMs = performance.now();
  const samples: ConnectionSample[] = [];
  const working = new AbortController();
  const watch = async () => {
    while (!working.signal.aborted) {
      // A login that is under way has no user yet; nobody else logs in meanwhile.
      const [row] = await admin.query(
        "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user IN (?, 'unauthenticated user')",
        [user ?? ''],
      );
      samples.push({ atMs: performance.now() - sinceMs, connections: Number(row?.n) });
      await delay(intervalMs);
    }
  };
  const watching = watch();
  try {
    return { result: await work(), samples };
  } finally {
    working.abort();
    await watching;
  }
}
