import type { MysqlConnection } from '../../mysql/connection/mysql-connection.ts';
import type { Transaction, TransactionMode } from '../../mysql/transaction/transaction.ts';
import { inTransaction } from '../../mysql/transaction/with-transaction.ts';
import { REPLAY_HEADER } from '../../protocol/routes.ts';
import type { Database } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import { jsonReply, type Reply } from '../http/reply.ts';
import type { IdempotentRequest } from '../idempotency/idempotent-request.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { SqlRequest } from '../requests/sql-request.ts';
import { TransactionWork } from './transaction-steps.ts';

/** A transaction that came as one request. */
export interface WholeTransaction {
  readonly database: Database;
  readonly sqlCall: SqlRequest;
  readonly mode: TransactionMode;
  /** Set if it is to be done once, however often it is sent. */
  readonly keyedCall: IdempotentRequest | undefined;
  /** Returns the answer as JSON. */
  run(work: TransactionWork, transaction: Transaction, queueMs: number): Promise<Buffer>;
}

/**
 * Runs a transaction on a connection of its own, and answers. As with a query, the connection is checked in before the
 * reply is written.
 */
export async function answerWhole(
  call: Call,
  metrics: Metrics,
  { database, sqlCall, mode, keyedCall, run }: WholeTransaction,
): Promise<Reply> {
  const transactionWork = new TransactionWork(database, metrics, call, sqlCall);
  const work = async (transaction: Transaction) => await run(transactionWork, transaction, call.queueMs);
  const onConnection = async <T>(use: (connection: MysqlConnection) => Promise<T>) => {
    call.enter('in_line');
    using pooled = await database.pool.checkout(sqlCall);
    call.enter('here', pooled.waitedMs);
    return await use(pooled.connection);
  };
  const { idempotency } = database;
  const { body, isReplay } =
    keyedCall === undefined || idempotency === undefined
      ? {
          body: await onConnection((connection) => inTransaction(connection, mode, sqlCall, work)),
          isReplay: false,
        }
      : await idempotency.runOnce(keyedCall, { mode, watched: sqlCall, onConnection, work });
  if (isReplay) {
    metrics.answerReplayed(database.alias);
    call.replyHeaders[REPLAY_HEADER] = 'true';
  }
  return jsonReply(body);
}
