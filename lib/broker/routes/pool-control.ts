import { PAUSE_ROUTE, RECONNECT_ROUTE, RESUME_ROUTE } from '../../protocol/routes.ts';
import type { Database, PoolRegistry } from '../databases/pool-registry.ts';
import { type Call, replyOf } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';

type Pool = Database['pool'];

/** `POST /v1/databases/{alias}/reconnect|pause|resume`: each answers with the pool's figures afterwards. */
export function addPoolControlRoutes(app: HttpApp, pools: PoolRegistry): void {
  const add = (path: string, control: (pool: Pool) => void) => {
    const handle = async (call: Call) => {
      const { pool } = pools.get(call.param('alias'));
      control(pool);
      return replyOf(pool.stats());
    };
    app.addRoute({ method: 'POST', path, access: 'admin', handle });
  };
  add(RECONNECT_ROUTE, (pool) => pool.invalidate('reconnect'));
  add(PAUSE_ROUTE, (pool) => pool.pause());
  add(RESUME_ROUTE, (pool) => pool.resume());
}
