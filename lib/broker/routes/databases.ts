import { statusLine } from '../../pool/status-line.ts';
import { DATABASE_ROUTE, DATABASES_ROUTE } from '../../protocol/routes.ts';
import type { DatabaseSettings } from '../../settings/settings.ts';
import type { HttpApp } from '../http/http-app.ts';
import { replyOf } from '../http/reply.ts';
import type { Database, PoolRegistry } from '../pool-registry.ts';

/** `GET /v1/databases[/{alias}]`: the settings in force, the pool's figures and the age of the credentials. */
export function addDatabasesRoutes(app: HttpApp, pools: PoolRegistry): void {
  const admin = { method: 'GET', access: 'admin' } as const;
  app.addRoute({
    ...admin,
    path: DATABASES_ROUTE,
    handle: async () => replyOf({ databases: [...pools.all].map(describe) }),
  });
  app.addRoute({
    ...admin,
    path: DATABASE_ROUTE,
    handle: async (call) => replyOf(describe(pools.get(call.param('alias')))),
  });
}

function describe({ alias, state, settings, pool, credentials }: Database) {
  const { credentials: form, ...shown } = settings;
  const stats = pool.stats();
  const { versionId, lookedAtMs, lastFailure } = credentials.status();
  return {
    alias,
    state,
    settings: shown,
    pool: { ...stats, status: statusLine(stats) },
    credentials: {
      form: formOf(form),
      versionId: versionId ?? null,
      lookedAt: lookedAtMs === undefined ? null : new Date(lookedAtMs).toISOString(),
      lastFailure: lastFailure ?? null,
    },
  };
}

function formOf(credentials: DatabaseSettings['credentials']): string {
  if ('secretId' in credentials) return 'secretId';
  if ('iam' in credentials) return 'iam';
  return 'file' in credentials ? 'file' : 'inline';
}
