import { PAUSE_ROUTE, RECONNECT_ROUTE, RESUME_ROUTE } from '../../protocol/routes.ts';
import type { Call } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import { replyOf } from '../http/reply.ts';
import type { Database, PoolRegistry } from '../pool-registry.ts';

type Control = keyof Pick<Database['pool'], 'reconnect' | 'pause' | 'resume'>;

/** `POST /v1/databases/{alias}/reconnect|pause|resume`: each answers with the pool's figures afterwards. */
export function addPoolControlRoutes(app: HttpApp, pools: PoolRegistry): void {
  const add = (path: string, control: Control) => {
    const handle = async (call: Call) => {
      const { pool } = pools.get(call.param('alias'));
      pool[control]();
      return replyOf(pool.stats());
    };
    app.addRoute({ method: 'POST', path, access: 'admin', handle });
  };
  add(RECONNECT_ROUTE, 'reconnect');
  add(PAUSE_ROUTE, 'pause');
  add(RESUME_ROUTE, 'resume');
}
