import { atOnce, inTurns } from '../../async/turns.ts';
import type { Transaction } from '../../mysql/transaction/transaction.ts';
import { IN_TRANSACTION_ROUTES, TRANSACTIONS_ROUTE } from '../../protocol/routes.ts';
import {
  type BegunTransaction,
  type EndedTransaction,
  TransactionTerms,
} from '../../protocol/transaction.ts';
import type { Database, PoolRegistry } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import { jsonReply, type Reply, replyOf } from '../http/reply.ts';
import { refuseKey } from '../idempotency/request-key.ts';
import type { Metrics } from '../observability/metrics.ts';
import { readBatch, readBody, readStatement } from '../requests/parse-body.ts';
import { type SqlRequest, sqlRequestOf } from '../requests/sql-request.ts';
import { answerWithStream, asksForStream } from '../streams/answer-with-stream.ts';
import type { StreamRegistry } from '../streams/stream-registry.ts';
import type { Lease } from '../transactions/lease.ts';
import type { LeaseRegistry } from '../transactions/lease-registry.ts';
import { TransactionWork, toBatch, toStep, toStepInParts } from '../transactions/transaction-steps.ts';

/** A call of an open transaction. */
interface LeaseCall {
  readonly lease: Lease;
  readonly database: Database;
  readonly call: Call;
  /** What it brings, once it is known how long it may take. */
  sqlCall(timeoutMs?: number): SqlRequest;
  /** Runs work in its turn. */
  run<T>(
    sqlCall: SqlRequest,
    work: (work: TransactionWork, transaction: Transaction, queueMs: number) => Promise<T>,
  ): Promise<T>;
}

/**
 * Interactive transactions: `POST /v1/databases/{alias}/transactions` begins one, and the calls under
 * `/v1/transactions/{id}` run its statements and end it. See `Lease` for its life.
 */
export function addLeaseRoutes(
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
    const sqlCall = sqlRequestOf(call, database);
    const mode = { isolation, isReadOnly: readOnly || sqlCall.isReadOnly };
    call.enter('in_line');
    const lease = await leases.begin(database, mode, sqlCall);
    call.enter('here', lease.waitedMs);
    // Nobody else can know its id.
    sqlCall.signal.addEventListener('abort', () => lease.end('rolled_back'));
    const begun: BegunTransaction = {
      transactionId: lease.identity.id,
      idleTimeoutMs: database.settings.transactions.idleTimeoutMs,
      expiresAt: lease.expiresAt.toISOString(),
    };
    return replyOf(begun, 201);
  };
  app.addRoute({ method: 'POST', path: TRANSACTIONS_ROUTE, access: 'read', handle: begin });

  const leaseCallOf = (call: Call, lease: Lease, database: Database): LeaseCall => ({
    lease,
    database,
    call,
    sqlCall: (timeoutMs) => sqlRequestOf(call, database, timeoutMs),
    run: async (sqlCall, work) => {
      call.enter('in_line');
      return await lease.run(sqlCall, async (transaction, watched) => {
        const queueMs = call.enter('here');
        return await work(new TransactionWork(database, metrics, call, watched), transaction, queueMs);
      });
    },
  });

  /** Finds the lease for `serve`, whose failures then tell whether it goes on. It may have answered by itself. */
  const post = (path: string, serve: (leaseCall: LeaseCall) => Promise<Reply | undefined>) => {
    const handle = async (call: Call) => {
      const lease = leases.get(call.param('id'), call.caller?.name ?? '');
      const { alias } = lease.identity;
      call.alias = alias;
      try {
        refuseKey(call);
        return await serve(leaseCallOf(call, lease, pools.get(alias)));
      } catch (error) {
        throw lease.mark(error);
      }
    };
    app.addRoute({ method: 'POST', path, access: 'read', servesOpenTransactions: true, handle });
  };

  post(IN_TRANSACTION_ROUTES.query, async ({ call, lease, database, ...leaseCall }) => {
    const isStream = asksForStream(call);
    const statement = readStatement(call.body);
    const step = call.isLarge
      ? await inTurns(toStepInParts(call, statement, database), call.gone)
      : toStep(call, statement, database);
    const sqlCall = leaseCall.sqlCall(statement.timeoutMs);
    if (!isStream) {
      return jsonReply(
        await leaseCall.run(sqlCall, (work, transaction, queueMs) => work.step(transaction, step, queueMs)),
      );
    }
    await answerWithStream({ call, database, sqlCall, streams }, async (streamCall, reader) => {
      try {
        return await leaseCall.run(streamCall, (work, transaction) => work.stream(transaction, step, reader));
      } catch (error) {
        throw lease.mark(error);
      }
    });
    return undefined;
  });

  post(IN_TRANSACTION_ROUTES.batch, async ({ call, database, sqlCall, run }) => {
    const binding = toBatch(call, readBatch(call.body), database);
    const batch = call.isLarge ? await inTurns(binding, call.gone) : atOnce(binding);
    // One statement is whole by itself, and the caller's last one stays the last before it.
    const isWhole = batch.length === 1 && batch.every(({ effect }) => effect === 'all_or_nothing');
    return jsonReply(
      await run(sqlCall(), async (work, transaction) => {
        const runAll = async () => await work.batch(transaction, batch);
        return isWhole ? await runAll() : await transaction.whole(runAll);
      }),
    );
  });

  post(IN_TRANSACTION_ROUTES.commit, async ({ call, lease, sqlCall }) => {
    call.enter('in_mysql');
    await lease.commit(sqlCall());
    call.enter('here');
    return replyOf({ status: 'committed' } satisfies EndedTransaction);
  });

  post(IN_TRANSACTION_ROUTES.rollback, async ({ call, lease, sqlCall }) => {
    call.enter('in_mysql');
    await lease.rollback(sqlCall());
    call.enter('here');
    return replyOf({ status: 'rolled_back' } satisfies EndedTransaction);
  });
}
