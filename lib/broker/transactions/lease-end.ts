import { BrokerError, type Outcome } from '../../errors.ts';
import type { ImplicitEndReason } from '../../mysql/transaction/transaction-end.ts';

/** Why a transaction ended. Late calls get it as `reason`. */
export type EndReason = ImplicitEndReason | 'committed' | 'idle' | 'lifetime' | 'draining';

/** How a transaction ended, for repeated and late calls. */
export interface LeaseEnd {
  readonly reason: EndReason;
  /** Whether the work was applied, as far as is known. */
  readonly outcome: Outcome;
  /** What a COMMIT failed with. */
  readonly failure?: BrokerError | undefined;
}

const MESSAGES: Readonly<Record<EndReason, string>> = {
  committed: 'The transaction was committed',
  rolled_back: 'The transaction was rolled back',
  idle: 'The transaction was rolled back: no statement came for too long',
  lifetime: 'The transaction was rolled back: it lasted too long',
  connection_lost: 'The transaction was lost with its connection',
  deadlock: 'The transaction was rolled back to end a deadlock',
  implicit_commit: 'A statement has ended the transaction',
  draining: 'The transaction was rolled back: the broker is shutting down',
};

const REASON_BY_OUTCOME: Readonly<Record<Outcome, EndReason>> = {
  applied: 'committed',
  not_applied: 'rolled_back',
  unknown: 'connection_lost',
};

/** The end by a COMMIT that has failed. */
export function endByFailure(error: unknown): LeaseEnd {
  const failure =
    error instanceof BrokerError
      ? error
      : new BrokerError('INTERNAL', 'The COMMIT failed', { outcome: 'unknown', cause: error });
  const { outcome } = failure;
  return {
    reason: REASON_BY_OUTCOME[outcome],
    outcome,
    failure: outcome === 'applied' ? undefined : failure,
  };
}

/** The failure of a call that came after the end. @param outcome of the call's own work. */
export function transactionEnded(reason: EndReason, outcome: Outcome): BrokerError {
  return new BrokerError('TRANSACTION_ENDED', MESSAGES[reason], { reason, outcome, transaction: 'ended' });
}
