import { OPENAPI_ROUTE, READY_ROUTE } from '../../protocol/routes.ts';
import { jsonReply } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';

const README = 'lib/broker/README.md of the package serverless-conn-pool';

/** `GET /`: what this is, and where its documentation is. */
export function addHomeRoute(app: HttpApp): void {
  const body = JSON.stringify({
    service: 'serverless-conn-pool broker',
    readme: README,
    openapi: OPENAPI_ROUTE,
    ready: READY_ROUTE,
  });
  app.addRoute({ method: 'GET', path: '/', handle: async () => jsonReply(body) });
}
