import { BrokerError } from '../../errors.ts';
import type { BoundStatement } from '../../mysql/sql/binding/bind.ts';
import type { Statement } from '../../protocol/query.ts';
import type { Database } from '../databases/pool-registry.ts';
import type { Call, Reply } from '../http/call.ts';
import type { IdempotentRequest } from '../idempotency/idempotent-request.ts';
import { refuseCommitting } from '../idempotency/request-key.ts';
import type { Metrics } from '../observability/metrics.ts';
import { sqlRequestOf } from '../requests/sql-request.ts';
import { answerOneShot } from './one-shot-transaction.ts';

interface IdempotentQuery {
  readonly database: Database;
  readonly statement: Statement;
  readonly bound: BoundStatement;
  readonly idempotentRequest: IdempotentRequest;
}

/** Runs a statement with an idempotency key, in one transaction with storing the key. */
export async function answerIdempotentQuery(
  call: Call,
  metrics: Metrics,
  { database, statement, bound, idempotentRequest }: IdempotentQuery,
): Promise<Reply> {
  refuseCommitting([bound]);
  try {
    return await answerOneShot(call, metrics, {
      database,
      sqlRequest: sqlRequestOf(call, database, statement.timeoutMs),
      mode: { isolation: undefined, isReadOnly: false },
      idempotentRequest,
      run: async (work, transaction, queueMs) => await work.step(transaction, { statement, bound }, queueMs),
    });
  } catch (error) {
    // The caller asked for no transaction.
    throw error instanceof BrokerError ? error.with({ transaction: undefined }) : error;
  }
}
