import { BrokerError, type ErrorCode } from '../../errors.ts';
import type { TransactionTerms } from '../../protocol/transaction.ts';
import type { Database } from '../database-call.ts';
import type { RowShape } from '../rows.ts';
import type { CallBudget } from '../transport/call-budget.ts';
import { tryAgainWhile } from '../transport/retry.ts';
import { CallQueue } from './call-queue.ts';
import { OpenTransaction } from './remote-transaction.ts';
import { Transaction } from './transaction.ts';

/** Failures of a whole transaction that another try, from its beginning, can avoid. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['TOO_MANY_TRANSACTIONS', 'QUEUE_FULL', 'DEADLOCK']);

/** Begins, runs `work` and commits; or rolls back and throws the first error. May run `work` several times. */
export async function runTransaction<Shape extends RowShape, T>(
  { transport, alias, rowOptions }: Database,
  terms: TransactionTerms,
  budget: CallBudget,
  work: (transaction: Transaction<Shape>) => Promise<T>,
): Promise<T> {
  return await tryAgainWhile(mayPass, budget, async () => {
    const open = await OpenTransaction.begin(transport, alias, terms, budget);
    try {
      const line = new CallQueue();
      const transaction = new Transaction<Shape>(open, line, rowOptions);
      const result = await line.complete(async () => await budget.bound(work(transaction)));
      await open.commit();
      return result;
    } catch (error) {
      await open.rollback();
      throw error;
    }
  });
}

function mayPass(error: unknown): boolean {
  return error instanceof BrokerError && PASSING.has(error.code) && error.retryable;
}
