import type { Parts } from '../../async/turns.ts';
import { LastStatementUse, mayReadLastStatement } from './last-statement-use.ts';
import { SqlLexer } from './lexer/lexer.ts';
import { isLabelledBlock } from './lexer/program-label.ts';
import type { SqlMode } from './lexer/sql-mode.ts';
import { PlainStatementCheck } from './plain-statement.ts';
import { ReturningDetector, type RowCounts } from './row-counts.ts';
import type { StatementEffect } from './statement-effect.ts';
import { StatementShape, type TextSpan } from './statement-shape.ts';

/** A placeholder for one value. */
export interface Placeholder {
  readonly start: number;
  readonly end: number;
  /** Undefined for `?`. */
  readonly name: string | undefined;
  /** It is the only one in `IN (...)`, so its value may be a list. */
  readonly isInList: boolean;
  /** Some servers see a comment here, which the value must not end. */
  readonly isInExecutableComment: boolean;
}

/** The limit of MySQL's protocol for prepared statements. */
export const MAX_PLACEHOLDERS = 65_535;

/** The result of one pass over SQL text. It stops after {@link MAX_PLACEHOLDERS}: then only their number is valid. */
export interface StatementScan {
  /** Why the text cannot be read for certain, in words for the error. The rest is then invalid. */
  readonly unreadable: string | undefined;
  readonly isEmpty: boolean;
  readonly hasSeveralStatements: boolean;
  /** Its forbidden kind, in words for the error. */
  readonly forbidden: string | undefined;
  /** What is allowed only inside a transaction, likewise. */
  readonly onlyInTransaction: string | undefined;
  /** What is allowed only outside a transaction, likewise. */
  readonly outsideTransactionOnly: string | undefined;
  /** What needs write access, likewise. Other writes are refused by the READ ONLY session. */
  readonly needsWriteAccess: string | undefined;
  /** The string, with quotes, that it prepares as a statement. */
  readonly preparedText: TextSpan | undefined;
  /** It runs code that is not in the text and may commit. */
  readonly mayEndTransaction: boolean;
  /** It defines a stored program, whose body may hold `;` and, after a label, something like `:name`. */
  readonly definesProgram: boolean;
  /** The end of the statement, before a closing `;`. */
  readonly end: number;
  readonly placeholders: readonly Placeholder[];
  /** It leaves no session state that another plain statement could see. */
  readonly isPlain: boolean;
  /** It surely writes nothing. */
  readonly isRead: boolean;
  /** What it may leave if it fails. */
  readonly effect: StatementEffect;
  /** It reads state of the previous statement: ROW_COUNT(), FOUND_ROWS(), warnings, diagnostics. */
  readonly readsLastStatement: boolean;
  readonly rowCounts: RowCounts;
}

/** Finds the placeholders, and the facts that decide whether the text may be sent. */
export function scanStatement(sql: string, mode: SqlMode): StatementScan {
  const scanner = new StatementScanner(sql, mode);
  scanner.readOn(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  return scanner.scan;
}

/** Tokens, or UTF-16 units of comments and strings, that are read in one part of some milliseconds. */
const TOKENS_PER_PART = 5_000;
const LENGTH_PER_PART = 65_536;

/** `scanStatement` in parts. */
export function* scanInParts(sql: string, mode: SqlMode): Parts<StatementScan> {
  const scanner = new StatementScanner(sql, mode);
  while (!scanner.readOn(TOKENS_PER_PART, LENGTH_PER_PART)) yield;
  return scanner.scan;
}

/** Reads a statement in steps. */
class StatementScanner {
  readonly #sql: string;
  readonly #lexer: SqlLexer;
  readonly #shape = new StatementShape();
  readonly #plainCheck = new PlainStatementCheck();
  readonly #lastUse = new LastStatementUse();
  readonly #returning = new ReturningDetector();
  readonly #placeholders: Placeholder[] = [];
  readonly #labelled = new Set<number>();
  #lastWord: string | undefined;
  #closedAt: number | undefined;
  #hasSeveralStatements = false;

  constructor(sql: string, mode: SqlMode) {
    this.#sql = sql;
    this.#lexer = new SqlLexer(sql, mode);
  }

  /** Reads up to `maxTokens` more tokens, or to the end of the token that exceeds `maxLength`. True when all is read. */
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

  /** The result, when all is read. */
  get scan(): StatementScan {
    const [shape, plainCheck, lexer] = [this.#shape, this.#plainCheck, this.#lexer];
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
      // A live comment after the last token counts too.
      isPlain: plainCheck.isPlain && !lexer.holdsLiveComment,
      isRead: plainCheck.isRead && !lexer.holdsLiveComment,
      effect: shape.effect,
      readsLastStatement:
        this.#lastUse.isFound ||
        (preparedText !== undefined &&
          mayReadLastStatement(this.#sql.slice(preparedText.start, preparedText.end))),
      rowCounts: this.#returning.rowCountsOf(plainCheck.verb),
    };
  }

  #add(lexer: SqlLexer): void {
    const text = lexer.kind === 'placeholder' ? '?' : lexer.text;
    if (text === ';' && !lexer.isInExecutableComment) {
      this.#closedAt ??= lexer.start;
      return;
    }
    if (text === ';' || this.#closedAt !== undefined) {
      // The body of a stored program is not parsed. The server refuses a second statement after it: the connection
      // takes one statement per call (CLIENT_MULTI_STATEMENTS is off).
      this.#hasSeveralStatements = !this.#shape.definesProgram;
      this.#closedAt = undefined;
    }
    if (text === '?') {
      const isLabel = this.#lastWord !== undefined && isLabelledBlock(this.#lastWord, lexer.text);
      if (isLabel) this.#labelled.add(lexer.start);
      this.#placeholders.push(placeholderAt(lexer));
    }
    if (text === ')' && this.#shape.endsWith('IN', '(', '?')) markInList(this.#placeholders);
    this.#shape.add(text, lexer);
    this.#plainCheck.add(text, lexer);
    this.#lastUse.add(text, lexer);
    this.#lastWord = lexer.kind === 'word' || lexer.kind === 'name' ? text : undefined;
    this.#returning.add(text, lexer.kind);
  }
}

function placeholderAt({ start, end, text, isInExecutableComment }: SqlLexer): Placeholder {
  const name = text === '?' ? undefined : text.slice(1);
  return { start, end, name, isInList: false, isInExecutableComment };
}

function markInList(placeholders: Placeholder[]): void {
  const last = placeholders.pop();
  if (last) placeholders.push({ ...last, isInList: true });
}
