import { BrokerError, type Outcome } from '../errors.ts';
import type { FoundEnd } from './transaction-watch.ts';

/** Why a transaction is over that nobody has ended. */
export type UnaskedReason = 'connection_lost' | 'deadlock' | 'implicit_commit' | 'rolled_back';

/** Such an end, and what became of the work. */
export interface UnaskedEnd {
  readonly reason: UnaskedReason;
  readonly outcome: Outcome;
}

/** Also what is still open: the end rolls that back. */
export const ROLLED_BACK: UnaskedEnd = { reason: 'rolled_back', outcome: 'not_applied' };
export const UNCLEAR_END: UnaskedEnd = { reason: 'implicit_commit', outcome: 'unknown' };

const END_BY_FINDING: Readonly<Record<FoundEnd, UnaskedEnd>> = {
  committed: { reason: 'implicit_commit', outcome: 'applied' },
  rolled_back: ROLLED_BACK,
  rolled_back_and_more: { reason: 'rolled_back', outcome: 'unknown' },
  taken_back: { reason: 'rolled_back', outcome: 'unknown' },
  unclear: UNCLEAR_END,
  unreadable: ROLLED_BACK,
};

/** @param isDeadlock the statement failed with one: then nothing has come after it. */
export function endOf(found: FoundEnd, isDeadlock: boolean): UnaskedEnd {
  if (found === 'taken_back' && isDeadlock) return { reason: 'deadlock', outcome: 'not_applied' };
  return END_BY_FINDING[found];
}

export function endedUnasked({ reason, outcome }: UnaskedEnd): BrokerError {
  return new BrokerError('TRANSACTION_ENDED', 'The statement has ended the transaction', {
    outcome,
    reason,
    transaction: 'ended',
  });
}
