import { statusLine } from '../../pool/pool-stats.ts';
import { DATABASE_ROUTE, DATABASES_ROUTE } from '../../protocol/routes.ts';
import type { DatabaseSettings } from '../../settings/settings.ts';
import { mayUse } from '../checks/authenticate.ts';
import type { Database, PoolRegistry } from '../databases/pool-registry.ts';
import { replyOf } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import type { FaultMonitor } from '../observability/fault-monitor.ts';
import { healthOf } from './health.ts';

/**
 * `GET /v1/databases[/{alias}]`: settings in force, last failures, pool figures and age of the credentials of the
 * databases that the admin may use; and why keys of callers cannot be read.
 */
export function addDatabasesRoutes(app: HttpApp, pools: PoolRegistry, faults: FaultMonitor): void {
  const admin = { method: 'GET', access: 'admin' } as const;
  app.addRoute({
    ...admin,
    path: DATABASES_ROUTE,
    handle: async ({ caller }) => {
      const admin = caller ?? { databases: [] };
      return replyOf({
        databases: [...pools.all].filter(({ alias }) => mayUse(admin, alias)).map(describe),
        callerKeys: faults.keyFaultsFor(admin),
      });
    },
  });
  app.addRoute({
    ...admin,
    path: DATABASE_ROUTE,
    handle: async (call) => replyOf(describe(pools.get(call.param('alias')))),
  });
}

function describe(database: Database) {
  const { alias, settings, pool, credentials } = database;
  const { credentials: form, ...shown } = settings;
  const stats = pool.stats();
  const { versionId, fetchedAtMs, lastFailure } = credentials.status();
  return {
    alias,
    ...healthOf(database),
    settings: shown,
    pool: { ...stats, status: statusLine(stats) },
    credentials: {
      form: formOf(form),
      versionId: versionId ?? null,
      lookedAt: fetchedAtMs === undefined ? null : new Date(fetchedAtMs).toISOString(),
      lastFailure: lastFailure ?? null,
    },
  };
}

function formOf(credentials: DatabaseSettings['credentials']): string {
  if ('secretId' in credentials) return 'secretId';
  if ('iam' in credentials) return 'iam';
  return 'file' in credentials ? 'file' : 'inline';
}
