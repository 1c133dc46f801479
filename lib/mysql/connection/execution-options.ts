import type { CallScope } from '../../async/interruptible.ts';
import type { ResultLimits } from '../result/result-collector.ts';
import type { RowCounts } from '../sql/row-counts.ts';
import type { StatementEffect } from '../sql/statement-effect.ts';

/** On what terms a statement runs. */
export interface ExecutionOptions extends CallScope {
  /** The session is made READ ONLY first, so that the server itself refuses to write. */
  readonly isReadOnly: boolean;
  /** Known beforehand to change nothing, so that losing the answer loses nothing else. */
  readonly cannotWrite: boolean;
  /** What may be left of it if it fails. */
  readonly effect: StatementEffect;
  /** Default: `affected`. */
  readonly rowCounts?: RowCounts | undefined;
  /** It leaves nothing that another plain statement could see. */
  readonly isPlain: boolean;
  /** It may ask for what the statement before it has left, so that none of ours may stand in between. Default: false. */
  readonly readsLastStatement?: boolean;
}

/** The same for one whose answer is collected. */
export interface QueryExecutionOptions extends ExecutionOptions {
  readonly limits: ResultLimits;
}

/** How much of an answer is streamed, and how long that may stand still. */
export interface StreamLimits {
  readonly maxRows: number | undefined;
  /** A row is put together in memory, however much is streamed. */
  readonly maxRowBytes: number;
  /** Between two rows. The deadline is for the first. */
  readonly stallMs: number;
}

/** The same for one whose rows are handed on as they come. */
export interface StreamExecutionOptions extends ExecutionOptions, StreamLimits {
  /** It runs nothing that the server would not stop for us. */
  readonly isRead: boolean;
}
