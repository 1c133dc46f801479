import { BrokerError, type ErrorCode } from '../../errors.ts';
import type { TransactionTerms } from '../../protocol/transaction.ts';
import type { DatabaseTarget } from '../database-call.ts';
import type { RowShape } from '../rows.ts';
import type { CallBudget } from '../transport/call-budget.ts';
import { retryWhile } from '../transport/retry.ts';
import { CallQueue } from './call-queue.ts';
import { RemoteTransaction } from './remote-transaction.ts';
import { Transaction } from './transaction.ts';

/** Failures after which the whole transaction may succeed if it is run again. */
const TRANSIENT: ReadonlySet<ErrorCode> = new Set(['TOO_MANY_TRANSACTIONS', 'QUEUE_FULL', 'DEADLOCK']);

/** Begins, runs `work` and commits; or rolls back and throws the first error. A retry runs `work` again. */
export async function runTransaction<Shape extends RowShape, T>(
  { transport, alias, rowOptions }: DatabaseTarget,
  mode: TransactionTerms,
  budget: CallBudget,
  work: (transaction: Transaction<Shape>) => Promise<T>,
): Promise<T> {
  return await retryWhile(isTransient, budget, async () => {
    const open = await RemoteTransaction.begin(transport, alias, mode, budget);
    try {
      const queue = new CallQueue();
      const transaction = new Transaction<Shape>(open, queue, rowOptions);
      const result = await queue.complete(async () => await budget.bound(work(transaction)));
      await open.commit();
      return result;
    } catch (error) {
      await open.rollback();
      throw error;
    }
  });
}

function isTransient(error: unknown): boolean {
  return error instanceof BrokerError && TRANSIENT.has(error.code) && error.retryable;
}
