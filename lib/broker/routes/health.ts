import type { FastifyInstance } from 'fastify';
import { HEALTH_ROUTE, READY_ROUTE } from '../../protocol/routes.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { PoolRegistry } from '../pool-registry.ts';

/**
 * `/healthz`: the process serves, and its name, by which other brokers find the owner of a transaction. `/readyz`: it
 * makes sense to send work here. Where the last look at credentials failed, their last good version serves, and the
 * reply says why.
 */
export function addHealthRoutes(
  app: FastifyInstance,
  pools: PoolRegistry,
  lifecycle: Lifecycle,
  task: string,
): void {
  app.get(HEALTH_ROUTE, async () => ({ status: 'ok', task }));

  app.get<{ Querystring: { alias?: string } }>(READY_ROUTE, async (request, reply) => {
    const { alias } = request.query;
    const asked = alias === undefined ? [...pools.all] : [pools.get(alias)];
    const databases = Object.fromEntries(asked.map((database) => [database.alias, database.state]));
    const stale = asked.flatMap(({ alias, credentials }) => {
      const { versionId, lastFailure } = credentials.status();
      return versionId === undefined || lastFailure === undefined ? [] : [[alias, lastFailure] as const];
    });
    const isServing = lifecycle.phase === 'serving';
    const isReady = isServing && asked.some(({ state }) => state === 'up');
    return await reply.code(isReady ? 200 : 503).send({
      status: isReady ? 'ready' : isServing ? 'down' : lifecycle.phase,
      databases,
      ...(stale.length > 0 && { staleCredentials: Object.fromEntries(stale) }),
    });
  });
}
