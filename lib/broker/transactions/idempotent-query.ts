import { BrokerError } from '../../errors.ts';
import type { BoundStatement } from '../../mysql/sql/binding/bind.ts';
import type { Statement } from '../../protocol/query.ts';
import type { Database } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import type { Reply } from '../http/reply.ts';
import type { IdempotentRequest } from '../idempotency/idempotent-request.ts';
import { refuseCommitting } from '../idempotency/request-key.ts';
import type { Metrics } from '../observability/metrics.ts';
import { sqlRequestOf } from '../requests/sql-request.ts';
import { answerWhole } from './one-shot-transaction.ts';

interface KeyedQuery {
  readonly database: Database;
  readonly statement: Statement;
  readonly bound: BoundStatement;
  readonly keyedCall: IdempotentRequest;
}

/** Runs a statement that is to be done once: in a transaction, together with its key. */
export async function answerKeyedQuery(
  call: Call,
  metrics: Metrics,
  { database, statement, bound, keyedCall }: KeyedQuery,
): Promise<Reply> {
  refuseCommitting([bound]);
  try {
    return await answerWhole(call, metrics, {
      database,
      sqlCall: sqlRequestOf(call, database, statement.timeoutMs),
      mode: { isolation: undefined, isReadOnly: false },
      keyedCall,
      run: async (work, transaction, queueMs) => await work.step(transaction, { statement, bound }, queueMs),
    });
  } catch (error) {
    // Its caller knows of no transaction.
    throw error instanceof BrokerError ? error.with({ transaction: undefined }) : error;
  }
}
