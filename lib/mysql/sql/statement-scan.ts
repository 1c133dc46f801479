import type { Parts } from '../../async/turns.ts';
import { LastStatementUse, mayReadLastStatement } from './last-statement-use.ts';
import { SqlLexer } from './lexer/lexer.ts';
import { isLabelledBlock } from './lexer/program-label.ts';
import type { SqlMode } from './lexer/sql-mode.ts';
import { PlainStatementCheck } from './plain-statement.ts';
import { ReturningWatch, type RowCounts } from './row-counts.ts';
import type { StatementEffect } from './statement-effect.ts';
import { StatementShape, type TextSpan } from './statement-shape.ts';

/** A place for one value. */
export interface Placeholder {
  readonly start: number;
  readonly end: number;
  /** undefined for `?`. */
  readonly name: string | undefined;
  /** It stands alone in `IN (...)`, where a list may take its place. */
  readonly isInList: boolean;
  /** Some servers see a comment here: a value must not be able to end it. */
  readonly isInExecutableComment: boolean;
}

/** As many as MySQL's own protocol can number in a prepared statement. */
export const MAX_PLACEHOLDERS = 65_535;

/** What one pass over SQL text finds. Beyond {@link MAX_PLACEHOLDERS} it stops: then only their number means anything. */
export interface StatementScan {
  /** Why the text cannot be read for certain, in words for the error. The rest then means nothing. */
  readonly unreadable: string | undefined;
  readonly isEmpty: boolean;
  readonly hasSeveralStatements: boolean;
  /** Which never-allowed kind of statement it is, in words for the error. */
  readonly forbidden: string | undefined;
  /** What about it is allowed only inside a transaction, likewise. */
  readonly onlyInTransaction: string | undefined;
  /** Why it is allowed only outside a transaction, likewise. */
  readonly outsideTransactionOnly: string | undefined;
  /** What about it is only for callers who may write, likewise. The rest is for the READ ONLY session to stop. */
  readonly needsWriteAccess: string | undefined;
  /** The string, quotes and all, whose text it prepares for being run as a statement. */
  readonly preparedText: TextSpan | undefined;
  /** It runs what cannot be read here, and what may commit. */
  readonly mayEndTransaction: boolean;
  /** It defines a stored program, whose body may hold `;` and, behind a label, what looks like `:name`. */
  readonly definesProgram: boolean;
  /** Where the statement ends: before a closing `;` and what follows it. */
  readonly end: number;
  readonly placeholders: readonly Placeholder[];
  /** It leaves nothing on its connection that another plain statement could see. */
  readonly isPlain: boolean;
  /** It surely writes nothing. */
  readonly isRead: boolean;
  /** What may be left of it if it fails. */
  readonly effect: StatementEffect;
  /** It asks what the statement before it has left: ROW_COUNT(), FOUND_ROWS(), warnings, diagnostics. */
  readonly readsLastStatement: boolean;
  readonly rowCounts: RowCounts;
}

/** Finds the placeholders, and all that decides whether the text may be sent as one statement. */
export function scanStatement(sql: string, mode: SqlMode): StatementScan {
  const scanner = new StatementScanner(sql, mode);
  scanner.readOn(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  return scanner.scan;
}

/** What is read in one part, in some milliseconds: tokens, or comments and strings in UTF-16 units. */
const TOKENS_PER_PART = 5_000;
const LENGTH_PER_PART = 65_536;

/** The same in parts. */
export function* scanInParts(sql: string, mode: SqlMode): Parts<StatementScan> {
  const scanner = new StatementScanner(sql, mode);
  while (!scanner.readOn(TOKENS_PER_PART, LENGTH_PER_PART)) yield;
  return scanner.scan;
}

/** Reads a statement, in as many steps as its user likes. */
class StatementScanner {
  readonly #sql: string;
  readonly #lexer: SqlLexer;
  readonly #shape = new StatementShape();
  readonly #footprint = new PlainStatementCheck();
  readonly #lastUse = new LastStatementUse();
  readonly #returning = new ReturningWatch();
  readonly #placeholders: Placeholder[] = [];
  readonly #labelled = new Set<number>();
  #lastWord: string | undefined;
  #closedAt: number | undefined;
  #hasSeveralStatements = false;

  constructor(sql: string, mode: SqlMode) {
    this.#sql = sql;
    this.#lexer = new SqlLexer(sql, mode);
  }

  /** Reads on by so many tokens, or to the end of the token that exceeds the length. True when nothing is left. */
  readOn(maxTokens: number, maxLength: number): boolean {
    const lexer = this.#lexer;
    const lastEnd = lexer.end + maxLength;
    for (let left = maxTokens; left > 0 && lexer.end < lastEnd; left -= 1) {
      if (this.#hasSeveralStatements || this.#placeholders.length > MAX_PLACEHOLDERS) return true;
      if (!lexer.step()) return true;
      if (!lexer.isInHint) this.#add(lexer);
    }
    return false;
  }

  /** What was found, when all is read. */
  get scan(): StatementScan {
    const [shape, footprint, lexer] = [this.#shape, this.#footprint, this.#lexer];
    const { preparedText, definesProgram } = shape;
    return {
      unreadable: lexer.unreadable,
      isEmpty: shape.isEmpty,
      hasSeveralStatements: this.#hasSeveralStatements,
      forbidden: shape.forbidden,
      onlyInTransaction: shape.onlyInTransaction,
      outsideTransactionOnly: shape.outsideTransactionOnly,
      needsWriteAccess: shape.needsWriteAccess,
      preparedText,
      mayEndTransaction: shape.mayEndTransaction,
      definesProgram,
      end: this.#closedAt ?? this.#sql.length,
      placeholders: definesProgram
        ? this.#placeholders.filter(({ start }) => !this.#labelled.has(start))
        : this.#placeholders,
      // A live comment behind the last token counts too.
      isPlain: footprint.isPlain && !lexer.holdsLiveComment,
      isRead: footprint.isRead && !lexer.holdsLiveComment,
      effect: shape.effect,
      readsLastStatement:
        this.#lastUse.isFound ||
        (preparedText !== undefined &&
          mayReadLastStatement(this.#sql.slice(preparedText.start, preparedText.end))),
      rowCounts: this.#returning.rowCountsOf(footprint.verb),
    };
  }

  #add(lexer: SqlLexer): void {
    const text = lexer.kind === 'placeholder' ? '?' : lexer.text;
    if (text === ';' && !lexer.isInExecutableComment) {
      this.#closedAt ??= lexer.start;
      return;
    }
    if (text === ';' || this.#closedAt !== undefined) {
      // The body of a stored program is not taken apart. If a second statement hides behind one, the server
      // refuses it: the connection takes one statement per call (CLIENT_MULTI_STATEMENTS is off).
      this.#hasSeveralStatements = !this.#shape.definesProgram;
      this.#closedAt = undefined;
    }
    if (text === '?') {
      const isLabel = this.#lastWord !== undefined && isLabelledBlock(this.#lastWord, lexer.text);
      if (isLabel) this.#labelled.add(lexer.start);
      this.#placeholders.push(placeholderAt(lexer));
    }
    if (text === ')' && this.#shape.endsWith('IN', '(', '?')) markListPlace(this.#placeholders);
    this.#shape.add(text, lexer);
    this.#footprint.add(text, lexer);
    this.#lastUse.add(text, lexer);
    this.#lastWord = lexer.kind === 'word' || lexer.kind === 'name' ? text : undefined;
    this.#returning.add(text, lexer.kind);
  }
}

function placeholderAt({ start, end, text, isInExecutableComment }: SqlLexer): Placeholder {
  const name = text === '?' ? undefined : text.slice(1);
  return { start, end, name, isInList: false, isInExecutableComment };
}

function markListPlace(placeholders: Placeholder[]): void {
  const place = placeholders.pop();
  if (place) placeholders.push({ ...place, isInList: true });
}
