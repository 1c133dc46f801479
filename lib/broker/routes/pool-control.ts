import type { FastifyInstance } from 'fastify';
import { PAUSE_ROUTE, RECONNECT_ROUTE, RESUME_ROUTE } from '../../protocol/routes.ts';
import type { Database, PoolRegistry } from '../pool-registry.ts';

type Control = keyof Pick<Database['pool'], 'reconnect' | 'pause' | 'resume'>;

/** `POST /v1/databases/{alias}/reconnect|pause|resume`: each answers with the pool's figures afterwards. */
export function addPoolControlRoutes(app: FastifyInstance, pools: PoolRegistry): void {
  const add = (route: string, control: Control) => {
    app.post<{ Params: { alias: string } }>(route, { config: { access: 'admin' } }, async (request) => {
      const { pool } = pools.get(request.params.alias);
      pool[control]();
      return pool.stats();
    });
  };
  add(RECONNECT_ROUTE, 'reconnect');
  add(PAUSE_ROUTE, 'pause');
  add(RESUME_ROUTE, 'resume');
}
