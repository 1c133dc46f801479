import { BrokerError, type Outcome } from '../../errors.ts';
import type { FoundEnd } from './transaction-monitor.ts';

/** Why a transaction ended without COMMIT or ROLLBACK of the broker. */
export type ImplicitEndReason = 'connection_lost' | 'deadlock' | 'implicit_commit' | 'rolled_back';

/** Such an end, and the outcome of the transaction. */
export interface ImplicitEnd {
  readonly reason: ImplicitEndReason;
  readonly outcome: Outcome;
}

/** Also for a transaction that is still open: its end rolls it back. */
export const ROLLED_BACK: ImplicitEnd = { reason: 'rolled_back', outcome: 'not_applied' };
export const UNCLEAR_END: ImplicitEnd = { reason: 'implicit_commit', outcome: 'unknown' };

const END_BY_FINDING: Readonly<Record<FoundEnd, ImplicitEnd>> = {
  committed: { reason: 'implicit_commit', outcome: 'applied' },
  rolled_back: ROLLED_BACK,
  rolled_back_and_more: { reason: 'rolled_back', outcome: 'unknown' },
  server_rolled_back: { reason: 'rolled_back', outcome: 'unknown' },
  unclear: UNCLEAR_END,
  unreadable: ROLLED_BACK,
};

/** @param isDeadlock The statement failed with a deadlock, so nothing ran after it. */
export function endOf(found: FoundEnd, isDeadlock: boolean): ImplicitEnd {
  if (found === 'server_rolled_back' && isDeadlock) return { reason: 'deadlock', outcome: 'not_applied' };
  return END_BY_FINDING[found];
}

export function implicitlyEnded({ reason, outcome }: ImplicitEnd): BrokerError {
  return new BrokerError('TRANSACTION_ENDED', 'The statement has ended the transaction', {
    outcome,
    reason,
    transaction: 'ended',
  });
}
