/** A request with an idempotency key: it is done once, however often it is sent. */
export interface IdempotentRequest {
  /** Each caller has its own keys. */
  readonly caller: string;
  readonly key: string;
  /** Tells a repeat from another request with the same key. */
  readonly requestHash: string;
}
