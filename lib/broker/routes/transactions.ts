import { atOnce, inTurns } from '../../async/turns.ts';
import type { MysqlTransaction } from '../../mysql/transaction/transaction.ts';
import { IN_TRANSACTION_ROUTES, TRANSACTIONS_ROUTE } from '../../protocol/routes.ts';
import {
  type BegunTransaction,
  type EndedTransaction,
  TransactionTerms,
} from '../../protocol/transaction.ts';
import type { Database, PoolRegistry } from '../databases/pool-registry.ts';
import { type Call, jsonReply, type Reply, replyOf } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import { refuseKey } from '../idempotency/request-key.ts';
import type { Metrics } from '../observability/metrics.ts';
import { readBatch, readBody, readStatement } from '../requests/parse-body.ts';
import { type SqlRequest, sqlRequestOf } from '../requests/sql-request.ts';
import { answerWithStream, asksForStream } from '../streams/answer-with-stream.ts';
import type { StreamRegistry } from '../streams/stream-registry.ts';
import type { Lease } from '../transactions/lease.ts';
import type { LeaseRegistry } from '../transactions/lease-registry.ts';
import { StepRunner } from '../transactions/step-runner.ts';
import { bindBatch, bindStep, bindStepInParts } from '../transactions/transaction-steps.ts';

/** A call of an open transaction. */
interface TransactionCall {
  readonly lease: Lease;
  readonly database: Database;
  readonly call: Call;
  /** @param timeoutMs The call's own, if its body has one. */
  sqlRequest(timeoutMs?: number): SqlRequest;
  /** Runs work when the call's turn comes. */
  run<T>(
    sqlRequest: SqlRequest,
    work: (work: StepRunner, transaction: MysqlTransaction, queueMs: number) => Promise<T>,
  ): Promise<T>;
}

/**
 * Interactive transactions: `POST /v1/databases/{alias}/transactions` begins one, and the calls under
 * `/v1/transactions/{id}` run its statements and end it. See `Lease` for its life.
 */
export function addTransactionRoutes(
  app: HttpApp,
  pools: PoolRegistry,
  leases: LeaseRegistry,
  streams: StreamRegistry,
  metrics: Metrics,
): void {
  const begin = async (call: Call): Promise<Reply> => {
    const database = pools.get(call.param('alias'));
    refuseKey(call);
    const { isolation, readOnly = false } = readBody(TransactionTerms, call.body ?? {});
    const sqlRequest = sqlRequestOf(call, database);
    const mode = { isolation, isReadOnly: readOnly || sqlRequest.isReadOnly };
    call.enter('queued');
    const lease = await leases.begin(database, mode, sqlRequest);
    call.enter('in_broker', lease.waitedMs);
    // If the caller hangs up now, nobody knows the transaction's id.
    sqlRequest.signal.addEventListener('abort', () => lease.end('rolled_back'));
    const begun: BegunTransaction = {
      transactionId: lease.identity.id,
      idleTimeoutMs: database.settings.transactions.idleTimeoutMs,
      expiresAt: lease.expiresAt.toISOString(),
    };
    return replyOf(begun, 201);
  };
  app.addRoute({ method: 'POST', path: TRANSACTIONS_ROUTE, access: 'read', handle: begin });

  const transactionCallOf = (call: Call, lease: Lease, database: Database): TransactionCall => ({
    lease,
    database,
    call,
    sqlRequest: (timeoutMs) => sqlRequestOf(call, database, timeoutMs),
    run: async (sqlRequest, work) => {
      call.enter('queued');
      return await lease.run(sqlRequest, async (transaction, scope) => {
        const queueMs = call.enter('in_broker');
        return await work(new StepRunner(database, metrics, call, scope), transaction, queueMs);
      });
    },
  });

  /** Adds a route that finds the lease for `serve`, and adds to its failures whether the transaction is open. */
  const post = (path: string, serve: (transactionCall: TransactionCall) => Promise<Reply | undefined>) => {
    const handle = async (call: Call) => {
      const lease = leases.get(call.param('id'), call.caller?.name ?? '');
      const { alias } = lease.identity;
      call.alias = alias;
      try {
        refuseKey(call);
        return await serve(transactionCallOf(call, lease, pools.get(alias)));
      } catch (error) {
        throw lease.mark(error);
      }
    };
    app.addRoute({ method: 'POST', path, access: 'read', servesOpenTransactions: true, handle });
  };

  post(IN_TRANSACTION_ROUTES.query, async ({ call, lease, database, ...transactionCall }) => {
    const isStream = asksForStream(call);
    const statement = readStatement(call.body);
    const step = call.isLarge
      ? await inTurns(bindStepInParts(call, statement, database), call.gone)
      : bindStep(call, statement, database);
    const sqlRequest = transactionCall.sqlRequest(statement.timeoutMs);
    if (!isStream) {
      return jsonReply(
        await transactionCall.run(sqlRequest, (work, transaction, queueMs) =>
          work.step(transaction, step, queueMs),
        ),
      );
    }
    await answerWithStream({ call, database, sqlRequest, streams }, async (streamCall, sink) => {
      try {
        return await transactionCall.run(streamCall, (work, transaction) =>
          work.stream(transaction, step, sink),
        );
      } catch (error) {
        throw lease.mark(error);
      }
    });
    return undefined;
  });

  post(IN_TRANSACTION_ROUTES.batch, async ({ call, database, sqlRequest, run }) => {
    const binding = bindBatch(call, readBatch(call.body), database);
    const batch = call.isLarge ? await inTurns(binding, call.gone) : atOnce(binding);
    // One atomic statement needs no savepoint, so nothing comes between it and the caller's last statement.
    const isWhole = batch.length === 1 && batch.every(({ effect }) => effect === 'all_or_nothing');
    return jsonReply(
      await run(sqlRequest(), async (work, transaction) => {
        const runAll = async () => await work.batch(transaction, batch);
        return isWhole ? await runAll() : await transaction.atomically(runAll);
      }),
    );
  });

  post(IN_TRANSACTION_ROUTES.commit, async ({ call, lease, sqlRequest }) => {
    call.enter('in_mysql');
    await lease.commit(sqlRequest());
    call.enter('in_broker');
    return replyOf({ status: 'committed' } satisfies EndedTransaction);
  });

  post(IN_TRANSACTION_ROUTES.rollback, async ({ call, lease, sqlRequest }) => {
    call.enter('in_mysql');
    await lease.rollback(sqlRequest());
    call.enter('in_broker');
    return replyOf({ status: 'rolled_back' } satisfies EndedTransaction);
  });
}
