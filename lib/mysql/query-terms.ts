import type { Watched } from './interrupt.ts';
import type { ResultLimits } from './result-collector.ts';
import type { StatementEffect } from './statement-effect.ts';

/** On what terms a statement runs. */
export interface QueryTerms extends Watched {
  readonly limits: ResultLimits;
  /** The session is made READ ONLY first, so that the server itself refuses to write. */
  readonly isReadOnly: boolean;
  /** Known beforehand to change nothing, so that losing the answer loses nothing else. */
  readonly cannotWrite: boolean;
  /** What may be left of it if it fails. */
  readonly effect: StatementEffect;
  /** It leaves nothing that another plain statement could see. */
  readonly isPlain: boolean;
}
