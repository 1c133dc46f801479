import type { Deadline } from './deadline.ts';
import type { StopSignal } from './stop.ts';

export interface CheckoutOptions {
  /** Whose turn in line it takes: each caller has its own, however many calls it makes. */
  readonly caller?: string | undefined;
  /** Named with the caller if it holds the connection for too long. */
  readonly purpose?: string | undefined;
  /** The caller's own; the pool's `checkoutTimeoutMs` applies too. */
  readonly deadline?: Deadline | undefined;
  /** Takes the caller out of the line; the checkout rejects with its reason. */
  readonly signal?: StopSignal | undefined;
  /** Takes a connection too that was not reset because it does not need it. Default false. */
  readonly takesUsed?: boolean | undefined;
}
