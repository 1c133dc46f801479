import { atOnce, inTurns } from '../../async/turns.ts';
import { BATCH_ROUTE, TRANSACTION_ROUTE } from '../../protocol/routes.ts';
import type { PoolRegistry } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import { idempotentRequestOf, meaningOf, refuseCommitting } from '../idempotency/request-key.ts';
import type { Metrics } from '../observability/metrics.ts';
import { readBatch, readTransaction } from '../requests/parse-body.ts';
import { sqlRequestOf } from '../requests/sql-request.ts';
import { answerOneShot } from '../transactions/one-shot-transaction.ts';
import { bindBatch, bindSteps } from '../transactions/transaction-steps.ts';

/**
 * Transactions in one request: `POST /v1/databases/{alias}/transaction` runs several statements,
 * `POST /v1/databases/{alias}/batch` one statement with many sets of values. All or nothing.
 *
 * As with a query, values are bound before the wait for a connection.
 */
export function addOneShotRoutes(app: HttpApp, pools: PoolRegistry, metrics: Metrics): void {
  const answerTransaction = async (call: Call) => {
    const database = pools.get(call.param('alias'));
    const { statements, isolation, readOnly = false } = readTransaction(call.body);
    const work = bindSteps(call, statements, database);
    const steps = call.isLarge ? await inTurns(work, call.gone) : atOnce(work);
    const bounds = steps.map(({ bound }) => bound);
    const meaning = { isolation, statements: statements.map(meaningOf) };
    const idempotentRequest = idempotentRequestOf(call, database, meaning, bounds, readOnly);
    if (idempotentRequest !== undefined) refuseCommitting(bounds);
    const sqlRequest = sqlRequestOf(call, database);
    return await answerOneShot(call, metrics, {
      database,
      sqlRequest,
      mode: { isolation, isReadOnly: readOnly || sqlRequest.isReadOnly },
      idempotentRequest,
      run: async (work, transaction, queueMs) => await work.steps(transaction, steps, queueMs),
    });
  };
  app.addRoute({ method: 'POST', path: TRANSACTION_ROUTE, access: 'read', handle: answerTransaction });

  const answerBatch = async (call: Call) => {
    const database = pools.get(call.param('alias'));
    const body = readBatch(call.body);
    const work = bindBatch(call, body, database);
    const batch = call.isLarge ? await inTurns(work, call.gone) : atOnce(work);
    const idempotentRequest = idempotentRequestOf(call, database, body, batch);
    if (idempotentRequest !== undefined) refuseCommitting(batch);
    return await answerOneShot(call, metrics, {
      database,
      sqlRequest: sqlRequestOf(call, database),
      mode: { isolation: undefined, isReadOnly: false },
      idempotentRequest,
      run: async (work, transaction) => await work.batch(transaction, batch),
    });
  };
  app.addRoute({ method: 'POST', path: BATCH_ROUTE, access: 'write', handle: answerBatch });
}
