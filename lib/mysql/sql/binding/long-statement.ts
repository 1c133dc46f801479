import type { Parts } from '../../../async/turns.ts';
import { assert } from '../../../errors.ts';
import type { Param, Params } from '../../../protocol/values.ts';
import type { SqlMode } from '../lexer/sql-mode.ts';
import type { Placeholder } from '../statement-scan.ts';
import { isList, type SingleParam } from './literal.ts';
import { spaceBefore, spaceBehind } from './literal-spacing.ts';
import { literalPiece } from './long-literal.ts';
import { SqlPieces, type SqlText } from './sql-text.ts';

/** UTF-16 units that are written in one part. */
const LENGTH_PER_PART = 65_536;
/** What each value costs beside its length, in such units. */
const VALUE_COST = 50;

const HIGH_SURROGATE = 0xd800;
const LOW_SURROGATE = 0xdc00;

/** What is to be written, its values checked. */
interface LongStatement {
  readonly sql: string;
  /** Where the statement ends in it. */
  readonly end: number;
  readonly places: readonly Placeholder[];
  readonly params: Params;
  readonly mode: SqlMode;
}

/** Writes the values into the text, each as one literal, in parts of some milliseconds. */
export function* writeInParts({ sql, end, places, params, mode }: LongStatement): Parts<SqlText> {
  const pieces = new SqlPieces();
  /** A name may stand in many places: its value is written once. */
  const known = new Map<string, (string | Buffer)[]>();
  let written = 0;
  let cost = 0;
  for (const [index, place] of places.entries()) {
    pieces.add(sql.slice(written, place.start) + spaceBefore(place, sql));
    const { name } = place;
    const literal = (name === undefined ? undefined : known.get(name)) ?? [];
    if (literal.length === 0) {
      const value = Array.isArray(params) ? params[index] : params[name ?? ''];
      assert(value !== undefined, 'a placeholder without its value');
      for (const piece of literalPieces(value, mode)) {
        literal.push(piece);
        cost += VALUE_COST + piece.length;
        if (cost < LENGTH_PER_PART) continue;
        yield;
        cost = 0;
      }
      if (name !== undefined) known.set(name, literal);
    }
    for (const piece of literal) pieces.add(piece);
    pieces.add(spaceBehind(place, sql));
    written = place.end;
    cost += VALUE_COST;
    if (cost < LENGTH_PER_PART) continue;
    yield;
    cost = 0;
  }
  pieces.add(sql.slice(written, end));
  return pieces.take();
}

function* literalPieces(value: Param, mode: SqlMode): Generator<string | Buffer> {
  if (!isList(value)) {
    yield* singlePieces(value, mode);
    return;
  }
  for (const [index, item] of value.$list.entries()) {
    if (index > 0) yield ', ';
    yield* singlePieces(item, mode);
  }
}

function* singlePieces(value: SingleParam, mode: SqlMode): Generator<string | Buffer> {
  if (typeof value !== 'string' || value.length <= LENGTH_PER_PART) {
    yield literalPiece(value, mode);
    return;
  }
  yield "'";
  for (let start = 0; start < value.length; ) {
    const end = wholeEnd(value, start + LENGTH_PER_PART);
    const piece = literalPiece(value.slice(start, end), mode);
    yield typeof piece === 'string' ? piece.slice(1, -1) : piece.subarray(1, -1);
    start = end;
  }
  yield "'";
}

/** The same place, or the one before it if a surrogate pair is there. */
function wholeEnd(text: string, end: number): number {
  const code = text.charCodeAt(end - 1);
  return end < text.length && code >= HIGH_SURROGATE && code < LOW_SURROGATE ? end - 1 : end;
}
