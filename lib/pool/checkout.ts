import type { CancelSignal } from '../async/cancellation.ts';
import type { Deadline } from '../async/deadline.ts';

export interface CheckoutOptions {
  /** Whose turn in line it takes: each caller has its own, however many calls it makes. */
  readonly caller?: string | undefined;
  /** Named with the caller if it holds the connection for too long. */
  readonly purpose?: string | undefined;
  /** The caller's own; the pool's `checkoutTimeoutMs` applies too. */
  readonly deadline?: Deadline | undefined;
  /** Takes the caller out of the line; the checkout rejects with its reason. */
  readonly signal?: CancelSignal | undefined;
  /** Takes a connection too that was not reset because it does not need it. Default false. */
  readonly takesUsed?: boolean | undefined;
}

/** Who has a connection, and what for. */
export interface Holder {
  readonly caller: string;
  /** What finds it in a log, a request's id for example. */
  readonly purpose: string | undefined;
}

/** One checkout, from hand-over to checkin. */
export interface Checkout {
  readonly holder: Holder;
  readonly sinceMs: number;
  /** It was held for too long, and observers were told. */
  isOverdue: boolean;
}
