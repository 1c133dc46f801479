import type { FastifyInstance } from 'fastify';
import { BrokerError } from '../../errors.ts';
import { REFRESH_CREDENTIALS_ROUTE } from '../../protocol/routes.ts';
import type { PoolRegistry } from '../pool-registry.ts';

/** `POST /v1/databases/{alias}/refresh-credentials`: looks at them now, and says whether that brought a new version. */
export function addCredentialsRoute(app: FastifyInstance, pools: PoolRegistry): void {
  const options = { config: { access: 'admin' } } as const;
  app.post<{ Params: { alias: string } }>(REFRESH_CREDENTIALS_ROUTE, options, async (request) => {
    const { credentials } = pools.get(request.params.alias);
    const before = credentials.status().versionId;
    const { versionId } = await credentials.refresh();
    const { lastFailure } = credentials.status();
    // The last good version serves, but whoever asked for a look did not get one.
    if (lastFailure !== undefined) throw new BrokerError('DATABASE_UNREACHABLE', lastFailure);
    return { changed: versionId !== before, versionId };
  });
}
