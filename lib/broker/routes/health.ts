import { HEALTH_ROUTE, READY_ROUTE } from '../../protocol/routes.ts';
import type { Call } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import { replyOf } from '../http/reply.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { PoolRegistry } from '../pool-registry.ts';

/**
 * `/healthz`: the process serves, and its name, by which other brokers find the owner of a transaction. `/readyz`: it
 * makes sense to send work here. Where the last look at credentials failed, their last good version serves, and the
 * reply says why.
 */
export function addHealthRoutes(app: HttpApp, pools: PoolRegistry, lifecycle: Lifecycle, task: string): void {
  app.addRoute({
    method: 'GET',
    path: HEALTH_ROUTE,
    handle: async () => replyOf({ status: 'ok', task }),
  });

  const answerReady = async (call: Call) => {
    const alias = call.query.get('alias');
    const asked = alias === null ? [...pools.all] : [pools.get(alias)];
    const databases = Object.fromEntries(asked.map((database) => [database.alias, database.state]));
    const stale = asked.flatMap(({ alias, credentials }) => {
      const { versionId, lastFailure } = credentials.status();
      return versionId === undefined || lastFailure === undefined ? [] : [[alias, lastFailure] as const];
    });
    const isServing = lifecycle.phase === 'serving';
    const isReady = isServing && asked.some(({ state }) => state === 'up');
    return replyOf(
      {
        status: isReady ? 'ready' : isServing ? 'down' : lifecycle.phase,
        databases,
        ...(stale.length > 0 && { staleCredentials: Object.fromEntries(stale) }),
      },
      isReady ? 200 : 503,
    );
  };
  app.addRoute({ method: 'GET', path: READY_ROUTE, handle: answerReady });
}
