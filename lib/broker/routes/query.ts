import type { FastifyInstance } from 'fastify';
import { bindStatement } from '../../mysql/bind.ts';
import { QUERY_ROUTE } from '../../protocol/routes.ts';
import { callOf } from '../call.ts';
import type { Metrics } from '../metrics.ts';
import type { PoolRegistry } from '../pool-registry.ts';
import { readStatement } from '../read-body.ts';
import { limitsOf, refuseIfTooLarge, resultJson, sqlCallOf } from '../sql-call.ts';

/**
 * `POST /v1/databases/{alias}/query` runs one statement on a connection of its own.
 *
 * The values are bound before the wait for a connection, so that what cannot be run never stands in line; the
 * connection is checked in before the reply is written, so that a slow reader never holds one.
 */
export function addQueryRoute(app: FastifyInstance, pools: PoolRegistry, metrics: Metrics): void {
  app.post<{ Params: { alias: string } }>(
    QUERY_ROUTE,
    { config: { access: 'read' } },
    async (request, reply) => {
      const database = pools.get(request.params.alias);
      const statement = readStatement(request.body);
      const bound = bindStatement(statement.sql, statement.params, database.sqlMode, 'alone');
      const sqlCall = sqlCallOf(request, reply, database, statement.timeoutMs);
      const terms = {
        ...bound,
        ...sqlCall,
        limits: limitsOf(database, statement.maxRows),
        // A procedure could make the session writable again.
        cannotWrite: bound.isRead || (sqlCall.isReadOnly && bound.effect === 'all_or_nothing'),
      };

      const call = callOf(request);
      using pooled = await database.pool.checkout({ ...sqlCall, takesUsed: bound.isPlain });
      call.queueMs = pooled.waitedMs;
      const sinceMs = performance.now();
      const result = await pooled.connection.query(bound.text, terms);
      call.durationMs = performance.now() - sinceMs;
      pooled.checkin();
      metrics.queryDone(database.alias, call.durationMs);

      const body = resultJson(result, call.durationMs, call.queueMs);
      const outcome = terms.cannotWrite ? 'not_applied' : 'applied';
      refuseIfTooLarge(body, terms.limits, { outcome });
      return await reply.type('application/json; charset=utf-8').send(body);
    },
  );
}
