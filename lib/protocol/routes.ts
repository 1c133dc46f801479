/** Paths and header names of the broker's HTTP interface. */

export const QUERY_ROUTE = '/v1/databases/:alias/query';
export const DATABASES_ROUTE = '/v1/databases';
export const DATABASE_ROUTE = '/v1/databases/:alias';
export const RECONNECT_ROUTE = '/v1/databases/:alias/reconnect';
export const PAUSE_ROUTE = '/v1/databases/:alias/pause';
export const RESUME_ROUTE = '/v1/databases/:alias/resume';
export const HEALTH_ROUTE = '/healthz';
export const READY_ROUTE = '/readyz';
export const METRICS_ROUTE = '/metrics';
export const OPENAPI_ROUTE = '/openapi.json';

/** Echoed in every reply. */
export const REQUEST_ID_HEADER = 'x-request-id';
/** What is left of the caller's own budget, in milliseconds. */
export const TIMEOUT_HEADER = 'x-timeout-ms';

export function queryPath(alias: string): string {
  return QUERY_ROUTE.replace(':alias', encodeURIComponent(alias));
}
