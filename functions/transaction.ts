import { TRANSACTION_ROUTE } from '../lib/protocol/routes.ts';
import { forwardTo } from './forward.ts';

/**
 * A transaction in one request: `POST /databases/{alias}/transaction` of an HTTP API, or a direct
 * invocation with `{database, statements, isolation?, readOnly?, timeoutMs?}`.
 */
export const handler = forwardTo(TRANSACTION_ROUTE);
