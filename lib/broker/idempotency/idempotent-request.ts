/** A request that its caller gave a key, so that it is done once however often it is sent. */
export interface IdempotentRequest {
  /** Keys of different callers never meet. */
  readonly caller: string;
  readonly key: string;
  /** Tells another request under the same key from the same one sent again. */
  readonly requestHash: string;
}
