import type { FastifyInstance } from 'fastify';
import { BrokerError } from '../../errors.ts';
import { bindStatement } from '../../mysql/bind.ts';
import { Statement } from '../../protocol/query.ts';
import { QUERY_ROUTE } from '../../protocol/routes.ts';
import { callOf } from '../call.ts';
import { deadlineOf, signalOf } from '../deadlines.ts';
import type { Metrics } from '../metrics.ts';
import type { PoolRegistry } from '../pool-registry.ts';
import { readBody, refuseBadParams } from '../read-body.ts';
import { roundMs } from '../round-ms.ts';

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
      const { settings, sqlMode, pool } = pools.get(request.params.alias);
      const { limits } = settings;
      refuseBadParams(request.body);
      const statement = readBody(Statement, request.body);
      const { sql, params } = statement;
      const { text, isPlain, isRead, effect } = bindStatement(sql, params, sqlMode, 'alone');
      const call = callOf(request);
      const isReadOnly = call.caller?.access === 'read';
      const terms = {
        limits: {
          maxRows: Math.min(statement.maxRows ?? limits.maxRows, limits.maxRows),
          maxResultBytes: limits.maxResultBytes,
        },
        isReadOnly,
        // A procedure could make the session writable again.
        cannotWrite: isRead || (isReadOnly && effect === 'all_or_nothing'),
        effect,
        isPlain,
        takesUsed: isPlain,
        deadline: deadlineOf(request, statement.timeoutMs, limits.queryTimeoutMs),
        signal: signalOf(reply),
      };

      using pooled = await pool.checkout({ ...terms, caller: call.caller?.name, purpose: request.id });
      call.queueMs = pooled.waitedMs;
      const sinceMs = performance.now();
      const result = await pooled.connection.query(text, terms);
      call.durationMs = performance.now() - sinceMs;
      pooled.checkin();
      metrics.queryDone(request.params.alias, call.durationMs);

      const body = JSON.stringify({
        ...result,
        durationMs: roundMs(call.durationMs),
        queueMs: roundMs(call.queueMs),
      });
      refuseIfTooLarge(body, limits.maxResultBytes, terms.cannotWrite);
      return await reply.type('application/json; charset=utf-8').send(body);
    },
  );
}

/** The rows were counted as MySQL sent them; as JSON they can have grown. */
function refuseIfTooLarge(body: string, max: number, wroteNothing: boolean): void {
  const actual = Buffer.byteLength(body);
  if (actual <= max) return;
  throw new BrokerError('RESULT_TOO_LARGE', `The result exceeds maxResultBytes: ${max}`, {
    limit: { name: 'maxResultBytes', max, actual },
    outcome: wroteNothing ? 'not_applied' : 'applied',
  });
}
