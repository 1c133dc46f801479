import { QUERY_ROUTE } from '../lib/protocol/routes.ts';
import { forwardTo } from './forward.ts';

/**
 * One query: `POST /databases/{alias}/query` of an HTTP API, or a direct invocation with `{database, sql, params?,
 * timeoutMs?, maxRows?}`.
 */
export const handler = forwardTo(QUERY_ROUTE);
