import { BrokerError } from '../../errors.ts';
import { REFRESH_CREDENTIALS_ROUTE } from '../../protocol/routes.ts';
import type { PoolRegistry } from '../databases/pool-registry.ts';
import { type Call, replyOf } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';

/** `POST /v1/databases/{alias}/refresh-credentials`: fetches them now, and answers whether the version changed. */
export function addCredentialsRoute(app: HttpApp, pools: PoolRegistry): void {
  const handle = async (call: Call) => {
    const { credentials } = pools.get(call.param('alias'));
    const before = credentials.status().versionId;
    const { versionId } = await credentials.refresh();
    const { lastFailure } = credentials.status();
    // The last good version stays in use, but the fetch that was asked for failed.
    if (lastFailure !== undefined) throw new BrokerError('DATABASE_UNREACHABLE', lastFailure);
    return replyOf({ changed: versionId !== before, versionId });
  };
  app.addRoute({ method: 'POST', path: REFRESH_CREDENTIALS_ROUTE, access: 'admin', handle });
}
