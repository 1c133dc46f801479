/** How a pool behaves. Its values come checked from the settings. */
export interface PoolOptions {
  /** Connections kept open between checkouts. */
  readonly size: number;
  /** Connections opened on top under load and closed on checkin. */
  readonly maxOverflow: number;
  /** Several callers use it: none of them may have all of its connections, where these are five or more. */
  readonly isShared: boolean;
  /** One budget: the wait in the queue and the login. */
  readonly checkoutTimeoutMs: number;
  /** Age at which a connection is replaced; jittered downwards. */
  readonly recycleAfterMs: number;
  /**
   * Maximum queued calls. When full, the newcomer is refused, or the newest call of the caller with the most queued calls
   * if the newcomer's caller has fewer.
   */
  readonly maxWaiting: number;
  /** An idle connection above `minIdle` is closed after this time. */
  readonly idleTimeoutMs: number;
  readonly minIdle: number;
  /** An idle connection is pinged after this time, so that no firewall or server drops it as idle. */
  readonly keepAliveMs: number;
  /** A checkout that lasts longer is reported. */
  readonly heldTooLongMs: number;
  /** Check a connection that lay idle for `prePingAfterIdleMs` before it is given out. */
  readonly prePing: boolean;
  readonly prePingAfterIdleMs: number;
  /** Which idle connection is given out: the one used last, or the one used longest ago. */
  readonly order: 'lifo' | 'fifo';
  /** Calls that may have one connection together, if all of them say that they may. 1: none. */
  readonly maxPipelined: number;
}
