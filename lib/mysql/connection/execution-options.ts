import type { CallScope } from '../../async/interruptible.ts';
import type { ResultLimits } from '../result/result-collector.ts';
import type { RowCounts } from '../sql/row-counts.ts';
import type { StatementEffect } from '../sql/statement-effect.ts';

/** How a statement runs. */
export interface ExecutionOptions extends CallScope {
  /** The session is made READ ONLY first, so that the server refuses every write. */
  readonly isReadOnly: boolean;
  /** It surely changes nothing, so its outcome is `not_applied` even if the answer is lost. */
  readonly cannotWrite: boolean;
  /** What may be left of it if it fails. */
  readonly effect: StatementEffect;
  /** Default: `affected`. */
  readonly rowCounts?: RowCounts | undefined;
  /** It leaves no session state that another plain statement could see. */
  readonly isPlain: boolean;
  /** It may read state of the previous statement, so the broker must run none in between. Default: false. */
  readonly readsLastStatement?: boolean;
}

/** For a statement whose result is collected. */
export interface QueryExecutionOptions extends ExecutionOptions {
  readonly limits: ResultLimits;
}

/** Bounds of a streamed result. */
export interface StreamLimits {
  readonly maxRows: number | undefined;
  /** Each row is held in memory. */
  readonly maxRowBytes: number;
  /** Longest time between two rows. The deadline is for the first. */
  readonly stallMs: number;
}

/** For a statement whose rows are streamed. */
export interface StreamExecutionOptions extends ExecutionOptions, StreamLimits {
  /** It is a plain read, so the broker can surely stop it. */
  readonly isRead: boolean;
}
