import type { Parts } from '../../../async/turns.ts';
import { assert } from '../../../errors.ts';
import type { Param, Params } from '../../../protocol/values.ts';
import type { SqlMode } from '../lexer/sql-mode.ts';
import type { Placeholder } from '../statement-scan.ts';
import { isList, type SingleParam } from './literal.ts';
import { spaceBefore, spaceBehind } from './literal-spacing.ts';
import { literalPiece } from './long-literal.ts';
import { SqlPieces, type SqlText } from './sql-text.ts';

/** UTF-16 units per part. */
const LENGTH_PER_PART = 65_536;
/** Fixed cost of each value, in UTF-16 units. */
const VALUE_COST = 50;

const HIGH_SURROGATE = 0xd800;
const LOW_SURROGATE = 0xdc00;

/** A statement with checked values. */
interface LongStatement {
  readonly sql: string;
  /** The end of the statement in the text. */
  readonly end: number;
  readonly placeholders: readonly Placeholder[];
  readonly params: Params;
  readonly mode: SqlMode;
}

/** Writes the values into the text, each as one literal, in parts of some milliseconds. */
export function* writeInParts({ sql, end, placeholders, params, mode }: LongStatement): Parts<SqlText> {
  const pieces = new SqlPieces();
  /** A name may be used several times: its literal is built once. */
  const known = new Map<string, (string | Buffer)[]>();
  let written = 0;
  let cost = 0;
  for (const [index, placeholder] of placeholders.entries()) {
    pieces.add(sql.slice(written, placeholder.start) + spaceBefore(placeholder, sql));
    const { name } = placeholder;
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
    pieces.add(spaceBehind(placeholder, sql));
    written = placeholder.end;
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

/** `end`, or one less if it would split a surrogate pair. */
function wholeEnd(text: string, end: number): number {
  const code = text.charCodeAt(end - 1);
  return end < text.length && code >= HIGH_SURROGATE && code < LOW_SURROGATE ? end - 1 : end;
}
