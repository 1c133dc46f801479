import { inTurns } from '../../async/turns.ts';
import type { MysqlConnection } from '../../mysql/connection/mysql-connection.ts';
import { bindStatement, statementBinderInParts } from '../../mysql/sql/binding/bind.ts';
import { cannotWrite } from '../../mysql/sql/statement-effect.ts';
import { QUERY_ROUTE } from '../../protocol/routes.ts';
import type { PoolRegistry } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import { jsonReply, type Reply } from '../http/reply.ts';
import { idempotentRequestOf, meaningOf } from '../idempotency/request-key.ts';
import type { Metrics } from '../observability/metrics.ts';
import { outcomeOfFailure, type StatementOutcome } from '../observability/statement-outcome.ts';
import { readStatement } from '../requests/parse-body.ts';
import {
  limitsOf,
  refuseIfTooLarge,
  refuseToReader,
  resultJson,
  sqlRequestOf,
} from '../requests/sql-request.ts';
import { answerWithStream, asksForStream, streamLimitsOf } from '../streams/answer-with-stream.ts';
import type { StreamRegistry } from '../streams/stream-registry.ts';
import { answerKeyedQuery } from '../transactions/idempotent-query.ts';

/**
 * `POST /v1/databases/{alias}/query` runs one statement on a connection of its own.
 *
 * The values are bound before the wait for a connection, so that what cannot be run never stands in line; the
 * connection is checked in before the reply is written, so that a slow reader never holds one. Unless it asks for a
 * stream: its rows are written as they come.
 */
export function addQueryRoute(
  app: HttpApp,
  pools: PoolRegistry,
  streams: StreamRegistry,
  metrics: Metrics,
): void {
  const answerQuery = async (call: Call): Promise<Reply | undefined> => {
    const database = pools.get(call.param('alias'));
    const isStream = asksForStream(call);
    const statement = readStatement(call.body);
    const { sql, params } = statement;
    const place = [database.sqlMode, 'alone', database.settings.limits.maxStatementBytes] as const;
    const bound = call.isLarge
      ? (await inTurns(statementBinderInParts(sql, ...place), call.gone))(params)
      : bindStatement(sql, params, ...place);
    refuseToReader(call, bound);
    const keyedCall = idempotentRequestOf(call, database, meaningOf(statement), [bound]);
    if (keyedCall !== undefined) {
      return await answerKeyedQuery(call, metrics, { database, statement, bound, keyedCall });
    }
    const sqlCall = sqlRequestOf(call, database, statement.timeoutMs);
    const { caller, purpose, deadline, signal, isReadOnly } = sqlCall;
    const { isPlain, isRead, effect, rowCounts } = bound;
    const writesNothing = cannotWrite(bound, isReadOnly);

    const onConnection = async <T>(ask: (connection: MysqlConnection) => Promise<T>): Promise<T> => {
      call.enter('in_line');
      const pooled = await database.pool.checkout({
        caller,
        purpose,
        deadline,
        signal,
        takesUsed: isPlain,
      });
      call.enter('in_mysql', pooled.waitedMs);
      let outcome: StatementOutcome = 'ok';
      try {
        return await ask(pooled.connection);
      } catch (error) {
        outcome = outcomeOfFailure(error);
        throw error;
      } finally {
        metrics.queryDone(database.alias, call.enter('here'), outcome);
        pooled.checkin();
      }
    };

    if (isStream) {
      const limits = streamLimitsOf(database, statement.maxRows);
      await answerWithStream({ call, database, sqlCall, streams }, (stoppable, reader) => {
        const terms = {
          ...limits,
          deadline,
          signal: stoppable.signal,
          isReadOnly,
          cannotWrite: writesNothing,
          effect,
          isPlain,
          isRead,
          rowCounts,
        };
        return onConnection(async (connection) => {
          const text = bound.isLong ? await bound.textInTurns() : bound.text;
          return await connection.stream(text, terms, reader);
        });
      });
      return undefined;
    }
    const limits = limitsOf(call, database, statement.maxRows);
    const terms = {
      deadline,
      signal,
      isReadOnly,
      cannotWrite: writesNothing,
      effect,
      isPlain,
      rowCounts,
      limits,
    };
    const result = await onConnection(async (connection) =>
      bound.isLong
        ? await connection.query(await bound.textInTurns(), terms)
        : await connection.query(bound.text, terms),
    );
    const body = resultJson(result, call.durationMs, call.queueMs);
    refuseIfTooLarge(body, limits, { outcome: writesNothing ? 'not_applied' : 'applied' });
    return jsonReply(body);
  };
  app.addRoute({ method: 'POST', path: QUERY_ROUTE, access: 'read', handle: answerQuery });
}
