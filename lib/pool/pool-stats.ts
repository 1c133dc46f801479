/** What a pool is doing. */
export interface PoolStats {
  readonly size: number;
  readonly maxOverflow: number;
  /** As the server counts them: opening and closing ones too. */
  readonly connections: number;
  readonly idle: number;
  readonly checkedOut: number;
  readonly opening: number;
  readonly closing: number;
  /** Connections above `size`. */
  readonly overflow: number;
  readonly waiting: number;
  readonly oldestWaitMs: number;
  /** How often every connection was declared unusable. */
  readonly generation: number;
  /** Calls are held in line until somebody resumes the pool. */
  readonly paused: boolean;
}
