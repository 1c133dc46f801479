import { Result } from '../../protocol/query.ts';
import { readSuccess } from '../results.ts';
import type { RemoteTransaction } from './remote-transaction.ts';

/** Runs work whose failure undoes only what it did. Savepoints of one depth run one after the other, so they share a name. */
export async function inSavepoint<T>(
  open: RemoteTransaction,
  depth: number,
  work: () => Promise<T>,
): Promise<T> {
  const name = `client_${depth}`;
  await run(open, `SAVEPOINT ${name}`);
  try {
    const result = await work();
    await run(open, `RELEASE SAVEPOINT ${name}`);
    return result;
  } catch (error) {
    // If this fails too and the caller ignores the error, half of the work would be committed.
    if (!open.hasEnded)
      await run(open, `ROLLBACK TO SAVEPOINT ${name}`).catch((cause) => open.markUncertain(cause));
    throw error;
  }
}

async function run(open: RemoteTransaction, sql: string): Promise<void> {
  await open.run('query', { sql }, {}, (reply) => readSuccess(Result, reply));
}
