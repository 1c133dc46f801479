import { OPENAPI_ROUTE, READY_ROUTE } from '../../protocol/routes.ts';
import type { HttpApp } from '../http/http-app.ts';
import { jsonReply } from '../http/reply.ts';

const README = 'lib/broker/README.md of the package serverless-conn-pool';

/** `GET /`: what this is, and where to read on, for whoever finds it. */
export function addHomeRoute(app: HttpApp): void {
  const body = JSON.stringify({
    service: 'serverless-conn-pool broker',
    readme: README,
    openapi: OPENAPI_ROUTE,
    ready: READY_ROUTE,
  });
  app.addRoute({ method: 'GET', path: '/', handle: async () => jsonReply(body) });
}
