import { METRICS_ROUTE } from '../../protocol/routes.ts';
import type { HttpApp } from '../http/http-app.ts';
import type { Metrics } from '../observability/metrics.ts';

/** `GET /metrics`: every metric as Prometheus text. */
export function addMetricsRoute(app: HttpApp, { registry }: Metrics): void {
  const handle = async () => ({
    status: 200,
    contentType: registry.contentType,
    body: await registry.metrics(),
  });
  app.addRoute({ method: 'GET', path: METRICS_ROUTE, handle });
}
