import type { OkPacket } from '../result/ok-packet.ts';
import type { TokenKind } from './lexer/lexer.ts';

/**
 * What the server tells of the rows that a statement affects:
 * - `affected`: their number; none if it answers rows;
 * - `changed`: also how many became different, as of an UPDATE;
 * - `untold`: nothing, as of one that returns what it writes, or not of this statement alone.
 */
export type RowCounts = 'affected' | 'changed' | 'untold';

const WRITING_VERBS = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE']);
/** What they run may do anything, and the server counts only the last of it, or of rows that are answered nothing. */
const OPAQUE_VERBS = new Set(['CALL', 'EXECUTE', 'BEGIN', 'ANALYZE']);
/** Behind a column that has the name, and not behind the keyword. */
const BEHIND_NAME = new Set(['', '=', ',', ')', '.', ';', '<', '>', '!', 'IS', 'IN', 'LIKE', 'BETWEEN']);

/** Notices `RETURNING`, from a statement's tokens, added in order. */
export class ReturningWatch {
  #depth = 0;
  #last = '';
  #isBehindWord = false;
  #isFound = false;

  add(text: string, kind: TokenKind): void {
    if (this.#isBehindWord) this.#isFound ||= !BEHIND_NAME.has(text);
    this.#isBehindWord =
      this.#depth === 0 &&
      kind === 'word' &&
      text === 'RETURNING' &&
      this.#last !== '.' &&
      this.#last !== ',';
    if (text === '(') this.#depth += 1;
    if (text === ')') this.#depth -= 1;
    this.#last = text;
  }

  rowCountsOf(verb: string | undefined): RowCounts {
    if (verb === undefined || OPAQUE_VERBS.has(verb)) return 'untold';
    if (WRITING_VERBS.has(verb) && this.#isFound) return 'untold';
    return verb === 'UPDATE' ? 'changed' : 'affected';
  }
}

/** What a statement did besides answering rows. */
export interface StatementEffects {
  /** null: the server does not tell. */
  readonly affectedRows: number | null;
  /** Likewise. */
  readonly changedRows: number | null;
  readonly insertId: string | null;
  readonly warnings: number;
}

/** What a statement did, by the packet that ended it; `warnings` is that of one that answered rows only. */
export function effectsOf(ok: OkPacket | undefined, counts: RowCounts, warnings: number): StatementEffects {
  if (ok === undefined) {
    const rows = counts === 'untold' ? null : 0;
    return { affectedRows: rows, changedRows: rows, insertId: null, warnings };
  }
  const { affectedRows, insertId } = ok;
  return {
    affectedRows,
    changedRows: changedRowsOf(ok, counts),
    insertId: insertId === 0 ? null : insertId.toString(),
    warnings: ok.warnings,
  };
}

/** Rows matched, changed, warnings: in this order, in whatever language the session has (lc_messages). */
const UPDATE_INFO_NUMBERS = 3;

function changedRowsOf({ info, affectedRows }: OkPacket, counts: RowCounts): number | null {
  if (counts === 'affected' || affectedRows === 0) return 0;
  if (counts === 'untold') return null;
  const numbers = info.match(/\d+/g) ?? [];
  const [, changed] = numbers;
  return numbers.length === UPDATE_INFO_NUMBERS ? Number(changed) : null;
}
