import { throwIfCanceled } from '../../async/cancellation.ts';
import type { CallScope } from '../../async/interruptible.ts';
import { BrokerError } from '../../errors.ts';
import type { MysqlConnection } from '../connection/mysql-connection.ts';
import { MysqlTransaction, type TransactionMode } from './transaction.ts';

/** Runs work in a transaction of its own: all of it is committed, or nothing. */
export async function inTransaction<T>(
  connection: MysqlConnection,
  mode: TransactionMode,
  watched: CallScope,
  work: (transaction: MysqlTransaction) => Promise<T>,
): Promise<T> {
  const transaction = await MysqlTransaction.begin(connection, mode, watched);
  let result: T;
  try {
    result = await work(transaction);
    if (watched.deadline.hasPassed) {
      throw new BrokerError('DEADLINE_EXCEEDED', 'The deadline passed before the COMMIT');
    }
    throwIfCanceled(watched.signal);
  } catch (error) {
    // Past the deadline that is left to the pool's reset: it may take long, and the answer is due.
    if (!watched.deadline.hasPassed) await transaction.rollback();
    const isOpen = error instanceof BrokerError && error.transaction === 'open';
    throw isOpen ? error.with({ transaction: 'ended' }) : error;
  }
  await transaction.commit(watched.deadline);
  return result;
}
