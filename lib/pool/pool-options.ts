/** How a pool behaves. Its values come checked from the settings. */
export interface PoolOptions {
  /** Connections kept open between checkouts. */
  readonly size: number;
  /** Connections opened on top under load and closed on checkin. */
  readonly maxOverflow: number;
  /** One budget: the wait in line and the login. */
  readonly checkoutTimeoutMs: number;
  /** Age at which a connection is replaced; jittered downwards. */
  readonly recycleAfterMs: number;
  /** Calls in line; for one more a call is refused: it, or the newest of a caller that has more of them in line. */
  readonly maxWaiting: number;
  /** An idle connection above `minIdle` is closed after so long. */
  readonly idleTimeoutMs: number;
  readonly minIdle: number;
  /** An idle connection that was silent for so long is pinged, so that nobody on the way takes it for dead. */
  readonly keepAliveMs: number;
  /** A borrower that holds a connection for so long is told of. */
  readonly heldTooLongMs: number;
  /** Check a connection that lay idle for `prePingAfterIdleMs` before it is given out. */
  readonly prePing: boolean;
  readonly prePingAfterIdleMs: number;
  /** Which idle connection is given out: the one used last, or the one used longest ago. */
  readonly order: 'lifo' | 'fifo';
}
