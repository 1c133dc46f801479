import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { inTransaction } from '../../mysql/in-transaction.ts';
import type { Transaction } from '../../mysql/transaction.ts';
import { BATCH_ROUTE, TRANSACTION_ROUTE } from '../../protocol/routes.ts';
import type { TransactionTerms } from '../../protocol/transaction.ts';
import { callOf } from '../call.ts';
import type { Metrics } from '../metrics.ts';
import type { Database, PoolRegistry } from '../pool-registry.ts';
import { readBatch, readTransaction } from '../read-body.ts';
import { sqlCallOf } from '../sql-call.ts';
import { TransactionWork, toBatch, toSteps } from '../transaction-work.ts';

/**
 * Transactions that are sent whole, each on a connection of its own: `POST /v1/databases/{alias}/transaction` runs
 * several statements, `POST /v1/databases/{alias}/batch` one statement with many sets of values. All or nothing.
 *
 * As with a query, values are bound before the wait for a connection, and that is checked in before the reply.
 */
export function addTransactionRoutes(app: FastifyInstance, pools: PoolRegistry, metrics: Metrics): void {
  const runWhole = async (
    request: FastifyRequest,
    reply: FastifyReply,
    database: Database,
    { isolation, readOnly = false }: TransactionTerms,
    run: (work: TransactionWork, transaction: Transaction, queueMs: number) => Promise<string>,
  ) => {
    const sqlCall = sqlCallOf(request, reply, database);
    const call = callOf(request);
    const work = new TransactionWork(database, metrics, sqlCall);
    using pooled = await database.pool.checkout(sqlCall);
    call.queueMs = pooled.waitedMs;
    const mode = { isolation, isReadOnly: readOnly || sqlCall.isReadOnly };
    const body = await inTransaction(pooled.connection, mode, sqlCall, (transaction) =>
      run(work, transaction, pooled.waitedMs),
    );
    pooled.checkin();
    call.durationMs = work.durationMs;
    return await reply.type('application/json; charset=utf-8').send(body);
  };

  app.post<{ Params: { alias: string } }>(
    TRANSACTION_ROUTE,
    { config: { access: 'read' } },
    async (request, reply) => {
      const database = pools.get(request.params.alias);
      const { statements, ...terms } = readTransaction(request.body);
      const steps = toSteps(statements, database);
      return await runWhole(request, reply, database, terms, (work, transaction, queueMs) =>
        work.steps(transaction, steps, queueMs),
      );
    },
  );

  app.post<{ Params: { alias: string } }>(
    BATCH_ROUTE,
    { config: { access: 'write' } },
    async (request, reply) => {
      const database = pools.get(request.params.alias);
      const batch = toBatch(readBatch(request.body), database);
      return await runWhole(request, reply, database, {}, (work, transaction) =>
        work.batch(transaction, batch),
      );
    },
  );
}
