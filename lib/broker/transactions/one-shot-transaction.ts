import type { MysqlConnection } from '../../mysql/connection/mysql-connection.ts';
import type { MysqlTransaction, TransactionMode } from '../../mysql/transaction/transaction.ts';
import { inTransaction } from '../../mysql/transaction/with-transaction.ts';
import { REPLAY_HEADER } from '../../protocol/routes.ts';
import type { Database } from '../databases/pool-registry.ts';
import { type Call, jsonReply, type Reply } from '../http/call.ts';
import type { IdempotentRequest } from '../idempotency/idempotent-request.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { SqlRequest } from '../requests/sql-request.ts';
import { StepRunner } from './step-runner.ts';

/** A transaction in one request. */
export interface OneShotTransaction {
  readonly database: Database;
  readonly sqlRequest: SqlRequest;
  readonly mode: TransactionMode;
  /** Set if it has an idempotency key. */
  readonly idempotentRequest: IdempotentRequest | undefined;
  /** Returns the answer as JSON. */
  run(work: StepRunner, transaction: MysqlTransaction, queueMs: number): Promise<Buffer>;
}

/**
 * Runs a transaction on its own connection. As with a query, the connection is checked in before the reply is written.
 */
export async function answerOneShot(
  call: Call,
  metrics: Metrics,
  { database, sqlRequest, mode, idempotentRequest, run }: OneShotTransaction,
): Promise<Reply> {
  const runner = new StepRunner(database, metrics, call, sqlRequest);
  const work = async (transaction: MysqlTransaction) => await run(runner, transaction, call.queueMs);
  const onConnection = async <T>(use: (connection: MysqlConnection) => Promise<T>) => {
    call.enter('queued');
    using pooled = await database.pool.checkout(sqlRequest);
    call.enter('in_broker', pooled.waitedMs);
    return await use(pooled.connection);
  };
  const { idempotency } = database;
  const { body, isReplay } =
    idempotentRequest === undefined || idempotency === undefined
      ? {
          body: await onConnection((connection) => inTransaction(connection, mode, sqlRequest, work)),
          isReplay: false,
        }
      : await idempotency.runOnce(idempotentRequest, { mode, scope: sqlRequest, onConnection, work });
  if (isReplay) {
    metrics.answerReplayed(database.alias);
    call.replyHeaders[REPLAY_HEADER] = 'true';
  }
  return jsonReply(body);
}
