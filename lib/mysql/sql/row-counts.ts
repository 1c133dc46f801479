import type { OkPacket } from '../result/ok-packet.ts';
import type { TokenKind } from './lexer/lexer.ts';

/**
 * Which counts the server reports for a statement:
 * - `affected`: the affected rows; 0 if it returns rows;
 * - `changed`: also the changed rows, as for an UPDATE;
 * - `unreported`: none, as with RETURNING, or not for this statement alone.
 */
export type RowCounts = 'affected' | 'changed' | 'unreported';

const WRITING_VERBS = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE']);
/** They run other statements, of which the server counts only the last one, or none if they return rows. */
const OPAQUE_VERBS = new Set(['CALL', 'EXECUTE', 'BEGIN', 'ANALYZE']);
/** Tokens that may follow a column named RETURNING, but not the keyword. */
const BEHIND_NAME = new Set(['', '=', ',', ')', '.', ';', '<', '>', '!', 'IS', 'IN', 'LIKE', 'BETWEEN']);

/** Detects RETURNING from a statement's tokens. */
export class ReturningDetector {
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
    if (verb === undefined || OPAQUE_VERBS.has(verb)) return 'unreported';
    if (WRITING_VERBS.has(verb) && this.#isFound) return 'unreported';
    return verb === 'UPDATE' ? 'changed' : 'affected';
  }
}

/** The effects of a statement besides its rows. */
export interface StatementEffects {
  /** null: the server does not report it. */
  readonly affectedRows: number | null;
  /** Likewise. */
  readonly changedRows: number | null;
  readonly insertId: string | null;
  readonly warnings: number;
}

/** The effects by the packet that ended the statement. `warnings` is for a statement with rows only. */
export function effectsOf(ok: OkPacket | undefined, counts: RowCounts, warnings: number): StatementEffects {
  if (ok === undefined) {
    const rows = counts === 'unreported' ? null : 0;
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

/** Matched rows, changed rows and warnings: in this order in every language (lc_messages). */
const UPDATE_INFO_NUMBERS = 3;

function changedRowsOf({ info, affectedRows }: OkPacket, counts: RowCounts): number | null {
  if (counts === 'affected' || affectedRows === 0) return 0;
  if (counts === 'unreported') return null;
  const numbers = info.match(/\d+/g) ?? [];
  const [, changed] = numbers;
  return numbers.length === UPDATE_INFO_NUMBERS ? Number(changed) : null;
}
