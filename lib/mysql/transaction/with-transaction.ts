import { throwIfCanceled } from '../../async/cancellation.ts';
import type { CallScope } from '../../async/interruptible.ts';
import { BrokerError } from '../../errors.ts';
import type { MysqlConnection } from '../connection/mysql-connection.ts';
import { MysqlTransaction, type TransactionMode } from './transaction.ts';

/** Runs work in a transaction: commits all of it, or nothing. */
export async function inTransaction<T>(
  connection: MysqlConnection,
  mode: TransactionMode,
  scope: CallScope,
  work: (transaction: MysqlTransaction) => Promise<T>,
): Promise<T> {
  const transaction = new MysqlTransaction(connection, mode);
  let result: T;
  try {
    result = await work(transaction);
    if (scope.deadline.hasPassed) {
      throw new BrokerError('DEADLINE_EXCEEDED', 'The deadline passed before the COMMIT');
    }
    throwIfCanceled(scope.signal);
  } catch (error) {
    // After the deadline the pool's reset rolls back: it may take long, and the reply is due.
    if (!scope.deadline.hasPassed) await transaction.rollback();
    const isOpen = error instanceof BrokerError && error.transaction === 'open';
    throw isOpen ? error.with({ transaction: 'ended' }) : error;
  }
  await transaction.commit(scope.deadline);
  return result;
}
