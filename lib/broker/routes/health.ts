import type { Caller } from '../../credentials/caller-keys.ts';
import { HEALTH_ROUTE, READY_ROUTE } from '../../protocol/routes.ts';
import { mayUse } from '../checks/authenticate.ts';
import type { Database, PoolRegistry } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import { replyOf } from '../http/reply.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { FaultWatch } from '../observability/fault-watch.ts';

interface HealthParts {
  readonly pools: PoolRegistry;
  readonly lifecycle: Lifecycle;
  /** The name of this broker, by which others find the owner of a transaction. */
  readonly task: string;
  readonly faults: FaultWatch;
  /** The admin that calls, if it is one. */
  readonly adminOf: (call: Call) => Promise<Caller | undefined>;
}

/**
 * `/healthz`: the process serves. `/readyz`: it makes sense to send work here. Where the last look at credentials
 * failed, their last good version serves, and the reply says why. Admins are also told since when each of their
 * databases is as it is, and what it fails with.
 */
export function addHealthRoutes(
  app: HttpApp,
  { pools, lifecycle, task, faults, adminOf }: HealthParts,
): void {
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
      const { lastFailure } = credentials.status();
      return lastFailure === undefined ? [] : [[alias, lastFailure] as const];
    });
    const isServing = lifecycle.phase === 'serving';
    const isReady = isServing && asked.some(({ state }) => state === 'up');
    const admin = await adminOf(call);
    return replyOf(
      {
        status: isReady ? 'ready' : isServing ? 'down' : lifecycle.phase,
        databases,
        ...(stale.length > 0 && { staleCredentials: Object.fromEntries(stale) }),
        ...(admin && {
          details: Object.fromEntries(
            asked
              .filter(({ alias }) => mayUse(admin, alias))
              .map((database) => [database.alias, healthOf(database)]),
          ),
          callerKeys: faults.keyFaultsFor(admin),
        }),
      },
      isReady ? 200 : 503,
    );
  };
  app.addRoute({ method: 'GET', path: READY_ROUTE, handle: answerReady });
}

/** What an admin is told of a database that works, or does not. */
export function healthOf({ state, health }: Database) {
  return {
    state,
    since: health.since,
    lastFailure: health.logins.current ?? null,
    credentialsFailure: health.credentials.current ?? null,
  };
}
