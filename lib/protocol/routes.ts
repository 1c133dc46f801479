import { BrokerError } from '../errors.ts';

/** Paths and header names of the broker's HTTP interface. */

export const QUERY_ROUTE = '/v1/databases/:alias/query';
export const BATCH_ROUTE = '/v1/databases/:alias/batch';
export const TRANSACTION_ROUTE = '/v1/databases/:alias/transaction';
export const TRANSACTIONS_ROUTE = '/v1/databases/:alias/transactions';
export const IN_TRANSACTION_ROUTES = {
  query: '/v1/transactions/:id/query',
  batch: '/v1/transactions/:id/batch',
  commit: '/v1/transactions/:id/commit',
  rollback: '/v1/transactions/:id/rollback',
} as const;
export const DATABASES_ROUTE = '/v1/databases';
export const DATABASE_ROUTE = '/v1/databases/:alias';
export const RECONNECT_ROUTE = '/v1/databases/:alias/reconnect';
export const REFRESH_CREDENTIALS_ROUTE = '/v1/databases/:alias/refresh-credentials';
export const PAUSE_ROUTE = '/v1/databases/:alias/pause';
export const RESUME_ROUTE = '/v1/databases/:alias/resume';
export const ROTATION_ROUTE = '/v1/rotation/:step';
export const HEALTH_ROUTE = '/healthz';
export const READY_ROUTE = '/readyz';
export const METRICS_ROUTE = '/metrics';
export const OPENAPI_ROUTE = '/openapi.json';

/** Echoed in every reply. */
export const REQUEST_ID_HEADER = 'x-request-id';
/** What is left of the caller's own budget, in milliseconds. */
export const TIMEOUT_HEADER = 'x-timeout-ms';

/** The caller's key for a request that is done once, however often it is sent. */
export const IDEMPOTENCY_HEADER = 'idempotency-key';

/** In the reply: `true` if it is the stored answer of an earlier request with the same key. */
export const REPLAY_HEADER = 'idempotent-replay';

/** In the reply that is a stream: how many milliseconds its reader may read nothing. */
export const STALL_HEADER = 'x-stream-stall-ms';

/**
 * What a slow reader of a stream may send on its connection to show that it still reads: an empty line, which HTTP servers
 * ignore (RFC 9112, section 2.2).
 */
export const READING_SIGN = '\r\n';

/** The name of a database. It needs no escaping in a path. */
export const ALIAS = /^[a-z][a-z0-9-]{0,62}$/;

/** @throws {BrokerError} UNKNOWN_DATABASE for an invalid alias, which could change the path. */
export function databasePath(route: string, alias: string): string {
  if (!ALIAS.test(alias)) throw new BrokerError('UNKNOWN_DATABASE', `There is no database "${alias}"`);
  return route.replace(':alias', alias);
}
