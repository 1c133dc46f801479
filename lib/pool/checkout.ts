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
  /**
   * It may have its connection together with calls that wait right behind it and name the same here; then its
   * `PooledConnection` is `isShared`. Default: the connection is its alone.
   */
  readonly sharesAs?: string | undefined;
  /**
   * It had a connection before, and lost that without a fault of its own. It comes first in the queue, and neither a
   * full queue nor a pool that drains refuses it.
   */
  readonly isRepeat?: boolean | undefined;
}

/** Who has a connection, and what for. */
export interface Holder {
  readonly caller: string;
  /** What finds it in a log, a request's id for example. */
  readonly purpose: string | undefined;
}

/** One slot's checkout, from hand-over to the checkin of all that share it. */
export interface Checkout {
  /** The first of those who share it. */
  readonly holder: Holder;
  readonly sinceMs: number;
  /** It was held for too long, and observers were told. */
  isOverdue: boolean;
  /** Calls that have it and have not checked in yet. */
  holders: number;
}
