import type { FastifyInstance } from 'fastify';
import { BATCH_ROUTE, TRANSACTION_ROUTE } from '../../protocol/routes.ts';
import { keyedCallOf, meaningOf, refuseCommitting, refuseReadOnly } from '../idempotency/keyed-call.ts';
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
export function addTransactionRoutes(app: FastifyInstance, pools: PoolRegistry, metrics: Metrics): void {
  app.post<{ Params: { alias: string } }>(
    TRANSACTION_ROUTE,
    { config: { access: 'read' } },
    async (request, reply) => {
      const database = pools.get(request.params.alias);
      const { statements, isolation, readOnly = false } = readTransaction(request.body);
      const steps = toSteps(statements, database);
      const keyedCall = keyedCallOf(request, database, { isolation, statements: statements.map(meaningOf) });
      if (keyedCall !== undefined) {
        refuseReadOnly(readOnly);
        refuseCommitting(steps.map(({ bound }) => bound));
      }
      const sqlCall = sqlCallOf(request, database);
      return await answerWhole(request, reply, metrics, {
        database,
        sqlCall,
        mode: { isolation, isReadOnly: readOnly || sqlCall.isReadOnly },
        keyedCall,
        run: async (work, transaction, queueMs) => await work.steps(transaction, steps, queueMs),
      });
    },
  );

  app.post<{ Params: { alias: string } }>(
    BATCH_ROUTE,
    { config: { access: 'write' } },
    async (request, reply) => {
      const database = pools.get(request.params.alias);
      const body = readBatch(request.body);
      const batch = toBatch(body, database);
      const keyedCall = keyedCallOf(request, database, body);
      if (keyedCall !== undefined) refuseCommitting(batch);
      return await answerWhole(request, reply, metrics, {
        database,
        sqlCall: sqlCallOf(request, database),
        mode: { isolation: undefined, isReadOnly: false },
        keyedCall,
        run: async (work, transaction) => await work.batch(transaction, batch),
      });
    },
  );
}
