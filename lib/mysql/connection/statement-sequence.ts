import type { StatementTimer } from '../../async/interruptible.ts';
import { ResultSequence, type SingleResultStatement } from '../result/result-sequence.ts';
import type { BoundStatement } from '../sql/binding/bind.ts';
import { joinTexts, type SqlText } from '../sql/binding/sql-text.ts';

/** Statements behind one whose result was refused have so long to end by themselves: most do before a KILL arrives. */
const END_WITHIN_MS = 10;

const NO_ROWS = { maxRows: 0, maxResultBytes: 0 };

/** Until the next reset the server refuses writes in transactions that begin from now on. */
export const READ_ONLY = 'SET SESSION TRANSACTION READ ONLY';

/** Whether a statement may be one of a sequence: it answers one result, and all that it does can be rolled back. */
export function isForSequence({ effect, mayEndTransaction, isLong }: BoundStatement): boolean {
  return (effect === 'nothing' || effect === 'all_or_nothing') && !mayEndTransaction && !isLong;
}

/**
 * Several statements that are sent as one command. Each must be a whole statement, without a `;` at its end or a
 * comment that is not closed, as a {@link BoundStatement} is.
 */
export class StatementSequence {
  /** A line break ends a comment that a statement ends with. */
  readonly text: SqlText;
  readonly statementCount: number;
  readonly results: ResultSequence;
  readonly #timer: StatementTimer;
  #killTimer: NodeJS.Timeout | undefined;
  #refusal: { readonly failure: unknown } | undefined;

  /**
   * @param timer Interrupts all of them.
   * @param isReadOnlyFirst The session is made {@link READ_ONLY} before them.
   */
  constructor(given: readonly SingleResultStatement[], timer: StatementTimer, isReadOnlyFirst: boolean) {
    const statements = isReadOnlyFirst ? [{ text: READ_ONLY, limits: () => NO_ROWS }, ...given] : given;
    this.text = joinTexts(
      statements.map(({ text }) => text),
      '\n;\n',
    );
    this.statementCount = statements.length;
    this.#timer = timer;
    this.results = new ResultSequence(
      statements,
      (failure) => timer.interrupt((outcome) => failure.with({ outcome })),
      (failure) => this.#refuse(failure),
    );
  }

  /** Waits for their end. @throws what a result was refused with, else what they fail with. */
  async end(running: Promise<void>): Promise<void> {
    try {
      await running;
    } catch (error) {
      throw this.#refusal === undefined ? error : this.#refusal.failure;
    } finally {
      clearTimeout(this.#killTimer);
    }
    if (this.#refusal !== undefined) throw this.#refusal.failure;
  }

  #refuse(failure: unknown): void {
    this.#refusal = { failure };
    if (this.results.isComplete) return;
    this.#killTimer = setTimeout(() => this.#timer.interrupt(() => failure), END_WITHIN_MS);
  }
}
