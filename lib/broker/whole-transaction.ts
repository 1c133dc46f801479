import { inTransaction } from '../mysql/in-transaction.ts';
import type { MysqlConnection } from '../mysql/mysql-connection.ts';
import type { Transaction, TransactionMode } from '../mysql/transaction.ts';
import { REPLAY_HEADER } from '../protocol/routes.ts';
import type { Call } from './http/call.ts';
import { jsonReply, type Reply } from './http/reply.ts';
import type { KeyedCall } from './idempotency/keyed-call.ts';
import type { Metrics } from './metrics.ts';
import type { Database } from './pool-registry.ts';
import type { SqlCall } from './sql-call.ts';
import { TransactionWork } from './transaction-work.ts';

/** A transaction that came as one request. */
export interface WholeTransaction {
  readonly database: Database;
  readonly sqlCall: SqlCall;
  readonly mode: TransactionMode;
  /** Set if it is to be done once, however often it is sent. */
  readonly keyedCall: KeyedCall | undefined;
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
  const { body, isReplay } =
    keyedCall === undefined
      ? {
          body: await onConnection((connection) => inTransaction(connection, mode, sqlCall, work)),
          isReplay: false,
        }
      : await keyedCall.keys.runOnce(keyedCall, { mode, watched: sqlCall, onConnection, work });
  if (isReplay) {
    metrics.answerReplayed(database.alias);
    call.replyHeaders[REPLAY_HEADER] = 'true';
  }
  return jsonReply(body);
}
