import { BrokerError, type Outcome } from '../errors.ts';
import type { FoundEnd } from './transaction-watch.ts';

/** Why a transaction is over that nobody has ended. */
export type UnaskedEnd = 'connection_lost' | 'deadlock' | 'implicit_commit' | 'rolled_back';

/** Such an end, and what became of the work. */
interface End {
  readonly reason: UnaskedEnd;
  readonly outcome: Outcome;
}

const END_BY_FINDING: Readonly<Record<FoundEnd, End>> = {
  committed: { reason: 'implicit_commit', outcome: 'applied' },
  rolled_back: { reason: 'rolled_back', outcome: 'not_applied' },
  taken_back: { reason: 'rolled_back', outcome: 'unknown' },
  unclear: { reason: 'implicit_commit', outcome: 'unknown' },
  // What is still open is rolled back by the end.
  unreadable: { reason: 'rolled_back', outcome: 'not_applied' },
};

/** @param isDeadlock the statement failed with one: then nothing has come after it. */
export function endOf(found: FoundEnd, isDeadlock: boolean): End {
  if (found === 'taken_back' && isDeadlock) return { reason: 'deadlock', outcome: 'not_applied' };
  return END_BY_FINDING[found];
}

export function endedUnasked(reason: UnaskedEnd, outcome: Outcome): BrokerError {
  return new BrokerError('TRANSACTION_ENDED', 'The statement has ended the transaction', {
    outcome,
    reason,
    transaction: 'ended',
  });
}
