import { LastStatementUse, mayReadLastStatement } from './last-statement-use.ts';
import { isLabelledBlock } from './program-label.ts';
import { ReturningWatch, type RowCounts } from './row-counts.ts';
import { SqlLexer } from './sql-lexer.ts';
import type { SqlMode } from './sql-mode.ts';
import type { StatementEffect } from './statement-effect.ts';
import { StatementFootprint } from './statement-footprint.ts';
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
  readonly onlyAlone: string | undefined;
  /** What about it is only for callers who may write, likewise. The rest is for the READ ONLY session to stop. */
  readonly onlyForWriters: string | undefined;
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
  const lexer = new SqlLexer(sql, mode);
  const shape = new StatementShape();
  const footprint = new StatementFootprint();
  const lastUse = new LastStatementUse();
  const returning = new ReturningWatch();
  const placeholders: Placeholder[] = [];
  const labelled = new Set<number>();
  let lastWord: string | undefined;
  let closedAt: number | undefined;
  let hasSeveralStatements = false;

  while (!hasSeveralStatements && placeholders.length <= MAX_PLACEHOLDERS && lexer.next()) {
    const text = lexer.kind === 'placeholder' ? '?' : lexer.text;
    if (text === ';' && !lexer.isInExecutableComment) {
      closedAt ??= lexer.start;
      continue;
    }
    if (text === ';' || closedAt !== undefined) {
      // The body of a stored program is not taken apart. If a second statement hides behind one, the server
      // refuses it: the connection takes one statement per call (CLIENT_MULTI_STATEMENTS is off).
      hasSeveralStatements = !shape.definesProgram;
      closedAt = undefined;
    }
    if (text === '?') {
      if (lastWord !== undefined && isLabelledBlock(lastWord, lexer.text)) labelled.add(lexer.start);
      placeholders.push(placeholderAt(lexer));
    }
    if (text === ')' && shape.endsWith('IN', '(', '?')) markListPlace(placeholders);
    shape.add(text, lexer);
    footprint.add(text, lexer);
    lastUse.add(text, lexer);
    lastWord = lexer.kind === 'word' || lexer.kind === 'name' ? text : undefined;
    returning.add(text, lexer.kind);
  }

  const { preparedText } = shape;
  return {
    unreadable: lexer.unreadable,
    isEmpty: shape.isEmpty,
    hasSeveralStatements,
    forbidden: shape.forbidden,
    onlyInTransaction: shape.onlyInTransaction,
    onlyAlone: shape.onlyAlone,
    onlyForWriters: shape.onlyForWriters,
    preparedText,
    mayEndTransaction: shape.mayEndTransaction,
    definesProgram: shape.definesProgram,
    end: closedAt ?? sql.length,
    placeholders: shape.definesProgram
      ? placeholders.filter(({ start }) => !labelled.has(start))
      : placeholders,
    // A live comment behind the last token counts too.
    isPlain: footprint.isPlain && !lexer.holdsLiveComment,
    isRead: footprint.isRead && !lexer.holdsLiveComment,
    effect: shape.effect,
    readsLastStatement:
      lastUse.isFound ||
      (preparedText !== undefined && mayReadLastStatement(sql.slice(preparedText.start, preparedText.end))),
    rowCounts: returning.rowCountsOf(footprint.verb),
  };
}

function placeholderAt({ start, end, text, isInExecutableComment }: SqlLexer): Placeholder {
  const name = text === '?' ? undefined : text.slice(1);
  return { start, end, name, isInList: false, isInExecutableComment };
}

function markListPlace(placeholders: Placeholder[]): void {
  const place = placeholders.pop();
  if (place) placeholders.push({ ...place, isInList: true });
}
