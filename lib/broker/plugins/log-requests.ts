import type { FastifyInstance, FastifyRequest } from 'fastify';
import { callOf } from '../call.ts';

const DENIED: ReadonlySet<number> = new Set([401, 403]);

/** One line a request. It names who, what and how long; never SQL, values or MySQL's messages. */
export function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    const call = callOf(request);
    const { access } = request.routeOptions.config;
    const line = {
      method: request.method,
      route: request.routeOptions.url,
      status: reply.statusCode,
      caller: call.caller?.name,
      database: call.alias,
      code: call.code,
      queueMs: rounded(call.queueMs),
      durationMs: rounded(call.durationMs),
      totalMs: rounded(performance.now() - call.arrivedAtMs),
    };
    if (access === undefined && reply.statusCode < 500) request.log.debug(line, 'request');
    else request.log.info(line, 'request');
    if (access === 'admin' || DENIED.has(reply.statusCode)) audit(request, reply.statusCode);
  });
}

/** What an auditor asks for: who tried what, and whether it was allowed. */
function audit(request: FastifyRequest, status: number): void {
  const { caller, code } = callOf(request);
  request.log.info(
    {
      audit: DENIED.has(status) ? 'denied' : 'admin',
      caller: caller?.name,
      action: `${request.method} ${request.url.split('?')[0]}`,
      status,
      code,
      address: request.ip,
    },
    'audit',
  );
}

function rounded(durationMs: number | undefined): number | undefined {
  return durationMs === undefined ? undefined : Math.round(durationMs * 1_000) / 1_000;
}
