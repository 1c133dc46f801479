import { inTurns } from '../../async/turns.ts';
import { bindStatement, statementBinderInParts } from '../../mysql/sql/binding/bind.ts';
import { cannotWrite } from '../../mysql/sql/statement-effect.ts';
import { QUERY_ROUTE } from '../../protocol/routes.ts';
import type { PoolRegistry } from '../databases/pool-registry.ts';
import { type Call, jsonReply, type Reply } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import { idempotentRequestOf, meaningOf } from '../idempotency/request-key.ts';
import type { Metrics } from '../observability/metrics.ts';
import { readStatement } from '../requests/parse-body.ts';
import { onConnection, runStatement } from '../requests/run-statement.ts';
import {
  limitsOf,
  refuseIfTooLarge,
  refuseWithoutWriteAccess,
  resultJson,
  sqlRequestOf,
} from '../requests/sql-request.ts';
import { answerWithStream, asksForStream, streamLimitsOf } from '../streams/answer-with-stream.ts';
import type { StreamRegistry } from '../streams/stream-registry.ts';
import { answerIdempotentQuery } from '../transactions/idempotent-query.ts';

/**
 * `POST /v1/databases/{alias}/query` runs one statement on its own connection.
 *
 * The values are bound before the wait for a connection, so that a statement that cannot run never waits for one. The
 * connection is checked in before the reply is written, so that a slow reader never holds one; a stream writes its rows
 * as they arrive, and holds one.
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
    const context = [database.sqlMode, 'standalone', database.settings.limits.maxStatementBytes] as const;
    const bound = call.isLarge
      ? (await inTurns(statementBinderInParts(sql, ...context), call.gone))(params)
      : bindStatement(sql, params, ...context);
    refuseWithoutWriteAccess(call, bound);
    const idempotentRequest = idempotentRequestOf(call, database, meaningOf(statement), [bound]);
    if (idempotentRequest !== undefined) {
      return await answerIdempotentQuery(call, metrics, { database, statement, bound, idempotentRequest });
    }
    const sqlRequest = sqlRequestOf(call, database, statement.timeoutMs);
    const { deadline, signal, isReadOnly } = sqlRequest;
    const { isPlain, isRead, effect, rowCounts } = bound;
    const writesNothing = cannotWrite(bound, isReadOnly);
    const lone = { call, database, sqlRequest, bound, metrics };

    if (isStream) {
      const limits = streamLimitsOf(database, statement.maxRows);
      await answerWithStream({ call, database, sqlRequest, streams }, (cancelable, sink) => {
        const options = {
          ...limits,
          deadline,
          signal: cancelable.signal,
          isReadOnly,
          cannotWrite: writesNothing,
          effect,
          isPlain,
          isRead,
          rowCounts,
        };
        return onConnection(lone, async (connection) => {
          const text = bound.isLong ? await bound.textInTurns() : bound.text;
          return await connection.stream(text, options, sink);
        });
      });
      return undefined;
    }
    const limits = limitsOf(call, database, statement.maxRows);
    const options = {
      deadline,
      signal,
      isReadOnly,
      cannotWrite: writesNothing,
      effect,
      isPlain,
      rowCounts,
      limits,
    };
    const result = await runStatement(lone, options);
    const body = resultJson(result, call.durationMs, call.queueMs);
    refuseIfTooLarge(body, limits, { outcome: writesNothing ? 'not_applied' : 'applied' });
    return jsonReply(body);
  };
  app.addRoute({ method: 'POST', path: QUERY_ROUTE, access: 'read', handle: answerQuery });
}
