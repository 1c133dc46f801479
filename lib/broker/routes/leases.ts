import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Transaction } from '../../mysql/transaction.ts';
import { IN_TRANSACTION_ROUTES, TRANSACTIONS_ROUTE } from '../../protocol/routes.ts';
import {
  type BegunTransaction,
  type EndedTransaction,
  TransactionTerms,
} from '../../protocol/transaction.ts';
import { callOf } from '../call.ts';
import { refuseKey } from '../idempotency/keyed-call.ts';
import type { Lease } from '../lease.ts';
import type { LeaseRegistry } from '../lease-registry.ts';
import type { Metrics } from '../metrics.ts';
import type { Database, PoolRegistry } from '../pool-registry.ts';
import { readBatch, readBody, readStatement } from '../read-body.ts';
import { type SqlCall, sqlCallOf } from '../sql-call.ts';
import { answerWithStream, asksForStream } from '../stream-call.ts';
import type { StreamRegistry } from '../stream-registry.ts';
import { TransactionWork, toBatch, toStep } from '../transaction-work.ts';

/** A call of an open transaction. */
interface LeaseCall {
  readonly lease: Lease;
  readonly database: Database;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** What it brings, once it is known how long it may take. */
  sqlCall(timeoutMs?: number): SqlCall;
  /** Runs work in its turn. */
  run<T>(
    sqlCall: SqlCall,
    work: (work: TransactionWork, transaction: Transaction, queueMs: number) => Promise<T>,
  ): Promise<T>;
}

/**
 * Interactive transactions: `POST /v1/databases/{alias}/transactions` begins one, and the calls under
 * `/v1/transactions/{id}` run its statements and end it. See `Lease` for its life.
 */
export function addLeaseRoutes(
  app: FastifyInstance,
  pools: PoolRegistry,
  leases: LeaseRegistry,
  streams: StreamRegistry,
  metrics: Metrics,
): void {
  app.post<{ Params: { alias: string } }>(
    TRANSACTIONS_ROUTE,
    { config: { access: 'read' } },
    async (request, reply) => {
      const database = pools.get(request.params.alias);
      refuseKey(request);
      const { isolation, readOnly = false } = readBody(TransactionTerms, request.body ?? {});
      const sqlCall = sqlCallOf(request, database);
      const mode = { isolation, isReadOnly: readOnly || sqlCall.isReadOnly };
      const lease = await leases.begin(database, mode, sqlCall);
      // Nobody else can know its id.
      sqlCall.signal.addEventListener('abort', () => lease.end('rolled_back'));
      callOf(request).queueMs = lease.waitedMs;
      return await reply.code(201).send({
        transactionId: lease.identity.id,
        idleTimeoutMs: database.settings.transactions.idleTimeoutMs,
        expiresAt: lease.expiresAt.toISOString(),
      } satisfies BegunTransaction);
    },
  );

  const leaseCallOf = (
    request: FastifyRequest,
    reply: FastifyReply,
    lease: Lease,
    database: Database,
  ): LeaseCall => ({
    lease,
    database,
    request,
    reply,
    sqlCall: (timeoutMs) => sqlCallOf(request, database, timeoutMs),
    run: async (sqlCall, work) => {
      const call = callOf(request);
      const sinceMs = performance.now();
      return await lease.run(sqlCall, async (transaction, watched) => {
        call.queueMs = performance.now() - sinceMs;
        const transactionWork = new TransactionWork(database, metrics, watched);
        const result = await work(transactionWork, transaction, call.queueMs);
        call.durationMs = transactionWork.durationMs;
        return result;
      });
    },
  });

  /** Finds the lease for `serve`, whose failures then tell whether it goes on. It may have answered by itself. */
  const post = (route: string, serve: (leaseCall: LeaseCall) => Promise<Buffer | string | undefined>) => {
    const config = { access: 'read', servesOpenTransactions: true } as const;
    app.post<{ Params: { id: string } }>(route, { config }, async (request, reply) => {
      const call = callOf(request);
      const lease = leases.get(request.params.id, call.caller?.name ?? '');
      const { alias } = lease.identity;
      call.alias = alias;
      try {
        refuseKey(request);
        const body = await serve(leaseCallOf(request, reply, lease, pools.get(alias)));
        if (body === undefined) return undefined;
        return await reply.type('application/json; charset=utf-8').send(body);
      } catch (error) {
        throw lease.mark(error);
      }
    });
  };

  post(IN_TRANSACTION_ROUTES.query, async ({ request, reply, lease, database, ...leaseCall }) => {
    const isStream = asksForStream(request);
    const statement = readStatement(request.body);
    const step = toStep(statement, database);
    const sqlCall = leaseCall.sqlCall(statement.timeoutMs);
    if (!isStream) {
      return await leaseCall.run(sqlCall, (work, transaction, queueMs) =>
        work.step(transaction, step, queueMs),
      );
    }
    await answerWithStream({ request, reply, database, sqlCall, streams }, async (streamCall, reader) => {
      try {
        return await leaseCall.run(streamCall, (work, transaction) => work.stream(transaction, step, reader));
      } catch (error) {
        throw lease.mark(error);
      }
    });
    return undefined;
  });

  post(IN_TRANSACTION_ROUTES.batch, async ({ request, database, sqlCall, run }) => {
    const batch = toBatch(readBatch(request.body), database);
    return await run(sqlCall(), (work, transaction) =>
      transaction.whole(() => work.batch(transaction, batch)),
    );
  });

  post(IN_TRANSACTION_ROUTES.commit, async ({ lease, sqlCall }) => {
    await lease.commit(sqlCall());
    return JSON.stringify({ status: 'committed' } satisfies EndedTransaction);
  });

  post(IN_TRANSACTION_ROUTES.rollback, async ({ lease, sqlCall }) => {
    await lease.rollback(sqlCall());
    return JSON.stringify({ status: 'rolled_back' } satisfies EndedTransaction);
  });
}
