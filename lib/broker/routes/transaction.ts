import { BATCH_ROUTE, TRANSACTION_ROUTE } from '../../protocol/routes.ts';
import { atOnce, inTurns } from '../../turns.ts';
import type { Call } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import { keyedCallOf, meaningOf, refuseCommitting } from '../idempotency/keyed-call.ts';
import type { Metrics } from '../metrics.ts';
import type { PoolRegistry } from '../pool-registry.ts';
import { readBatch, readTransaction } from '../read-body.ts';
import { sqlCallOf } from '../sql-call.ts';
import { toBatch, toSteps } from '../transaction-work.ts';
import { answerWhole } from '../whole-transaction.ts';

/**
 * Transactions that are sent whole, each on a connection of its own: `POST /v1/databases/{alias}/transaction` runs
 * several statements, `POST /v1/databases/{alias}/batch` one statement with many sets of values. All or nothing.
 *
 * As with a query, values are bound before the wait for a connection.
 */
export function addTransactionRoutes(app: HttpApp, pools: PoolRegistry, metrics: Metrics): void {
  const answerTransaction = async (call: Call) => {
    const database = pools.get(call.param('alias'));
    const { statements, isolation, readOnly = false } = readTransaction(call.body);
    const work = toSteps(call, statements, database);
    const steps = call.isLarge ? await inTurns(work, call.gone) : atOnce(work);
    const bounds = steps.map(({ bound }) => bound);
    const meaning = { isolation, statements: statements.map(meaningOf) };
    const keyedCall = keyedCallOf(call, database, meaning, bounds, readOnly);
    if (keyedCall !== undefined) refuseCommitting(bounds);
    const sqlCall = sqlCallOf(call, database);
    return await answerWhole(call, metrics, {
      database,
      sqlCall,
      mode: { isolation, isReadOnly: readOnly || sqlCall.isReadOnly },
      keyedCall,
      run: async (work, transaction, queueMs) => await work.steps(transaction, steps, queueMs),
    });
  };
  app.addRoute({ method: 'POST', path: TRANSACTION_ROUTE, access: 'read', handle: answerTransaction });

  const answerBatch = async (call: Call) => {
    const database = pools.get(call.param('alias'));
    const body = readBatch(call.body);
    const work = toBatch(call, body, database);
    const batch = call.isLarge ? await inTurns(work, call.gone) : atOnce(work);
    const keyedCall = keyedCallOf(call, database, body, batch);
    if (keyedCall !== undefined) refuseCommitting(batch);
    return await answerWhole(call, metrics, {
      database,
      sqlCall: sqlCallOf(call, database),
      mode: { isolation: undefined, isReadOnly: false },
      keyedCall,
      run: async (work, transaction) => await work.batch(transaction, batch),
    });
  };
  app.addRoute({ method: 'POST', path: BATCH_ROUTE, access: 'write', handle: answerBatch });
}
