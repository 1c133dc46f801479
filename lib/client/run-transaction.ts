import { BrokerError, type ErrorCode } from '../errors.ts';
import type { TransactionTerms } from '../protocol/transaction.ts';
import type { Database } from './ask-database.ts';
import type { CallBudget } from './call-budget.ts';
import { CallLine } from './call-line.ts';
import { OpenTransaction } from './open-transaction.ts';
import type { RowShape } from './rows.ts';
import { Transaction } from './transaction.ts';
import { tryAgainWhile } from './try-again.ts';

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
      const line = new CallLine();
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
