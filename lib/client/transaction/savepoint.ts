import { Result } from '../../protocol/query.ts';
import { readSuccess } from '../results.ts';
import type { OpenTransaction } from './remote-transaction.ts';

/** Runs work whose failure undoes what it did, and nothing else of the transaction. Savepoints of one depth follow each other. */
export async function inSavepoint<T>(
  open: OpenTransaction,
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
    // Swallowed by the caller, the error would leave half of the work in the transaction if this failed too.
    if (!open.hasEnded) await run(open, `ROLLBACK TO SAVEPOINT ${name}`).catch((cause) => open.doubt(cause));
    throw error;
  }
}

async function run(open: OpenTransaction, sql: string): Promise<void> {
  await open.ask('query', { sql }, {}, (reply) => readSuccess(Result, reply));
}
