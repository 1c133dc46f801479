import type { Caller } from '../../credentials/caller-keys.ts';
import { HEALTH_ROUTE, READY_ROUTE } from '../../protocol/routes.ts';
import { mayUse } from '../checks/authenticate.ts';
import type { Database, PoolRegistry } from '../databases/pool-registry.ts';
import { type Call, replyOf } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { FaultMonitor } from '../observability/fault-monitor.ts';

interface HealthParts {
  readonly pools: PoolRegistry;
  readonly lifecycle: Lifecycle;
  /** The id of this broker, by which others find the owner of a transaction. */
  readonly task: string;
  readonly faults: FaultMonitor;
  /** The caller, if it is an admin. */
  readonly adminOf: (call: Call) => Promise<Caller | undefined>;
}

/**
 * `/healthz`: the process serves. `/readyz`: it can do work. The reply names the aliases whose credentials could not be
 * fetched; their last good version is used. Admins also get since when each of their databases has its state, and its
 * last failure.
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
    const selected = alias === null ? [...pools.all] : [pools.get(alias)];
    const databases = Object.fromEntries(selected.map((database) => [database.alias, database.state]));
    const stale = selected.flatMap(({ alias, credentials }) => {
      const { lastFailure } = credentials.status();
      return lastFailure === undefined ? [] : [[alias, lastFailure] as const];
    });
    const isServing = lifecycle.phase === 'serving';
    const isReady = isServing && selected.some(({ state }) => state === 'up');
    const admin = await adminOf(call);
    return replyOf(
      {
        status: isReady ? 'ready' : isServing ? 'down' : lifecycle.phase,
        databases,
        ...(stale.length > 0 && { staleCredentials: Object.fromEntries(stale) }),
        ...(admin && {
          details: Object.fromEntries(
            selected
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

/** The state of a database, for admins. */
export function healthOf({ state, health }: Database) {
  return {
    state,
    since: health.since,
    lastFailure: health.logins.current ?? null,
    credentialsFailure: health.credentials.current ?? null,
  };
}
