import { BrokerError } from '../../errors.ts';
import { CallerGone } from '../http/call.ts';

/** How a statement, or a wait for a connection, ended: the label `outcome` of durations. */
export type StatementOutcome = 'ok' | 'failed' | 'timed_out' | 'canceled';

/** `timed_out`: its deadline passed. `canceled`: its caller hung up. `failed`: anything else. */
export function outcomeOfFailure(error: unknown): StatementOutcome {
  if (error instanceof CallerGone) return 'canceled';
  if (!(error instanceof BrokerError)) return 'failed';
  return error.code === 'DEADLINE_EXCEEDED' || error.code === 'POOL_TIMEOUT' ? 'timed_out' : 'failed';
}
