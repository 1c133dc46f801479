import { BrokerError } from '../../errors.ts';

/** After a statement of the broker. */
const LAST_STATEMENT_UNKNOWN =
  'ROW_COUNT(), FOUND_ROWS(), warnings and diagnostics of the previous statement are lost here: the broker has run a statement of its own since, for a batch, an idempotency key or the failure of a statement';
const NOT_TRACKED =
  'CALL, EXECUTE and executable comments are not allowed in a transaction here: the server, or a proxy before it, does not report the end of a transaction (session_track_transaction_info)';

/** The statement reads what a statement of the broker has overwritten. */
export function lastStatementUnknown(): BrokerError {
  return refused(LAST_STATEMENT_UNKNOWN);
}

/** Whether the statement ends the transaction would not be known. */
export function notTracked(): BrokerError {
  return refused(NOT_TRACKED);
}

function refused(reason: string): BrokerError {
  return new BrokerError('STATEMENT_NOT_ALLOWED', reason, { transaction: 'open' });
}
