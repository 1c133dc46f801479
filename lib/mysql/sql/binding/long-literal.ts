import type { Param } from '../../../protocol/values.ts';
import type { SqlMode } from '../lexer/sql-mode.ts';
import { isList, jsonTextOf, literalOf } from './literal.ts';

/** In UTF-16 units. From this length on, bytes are faster than strings. */
const LONG_TEXT_LENGTH = 16_384;

const BACKSLASH = 0x5c;
const SINGLE_QUOTE = 0x27;

/** For each byte the byte after the escape character; 0: it needs no escape. */
const BACKSLASH_ESCAPES = escapesOf({ '\0': '0', '\n': 'n', '\r': 'r', '\x1a': 'Z', '\\': '\\', "'": "'" });
const QUOTE_ESCAPES = escapesOf({ "'": "'" });

/** The same as `literalOf`, but as UTF-8 if it is long. */
export function literalPiece(value: Param, mode: SqlMode): string | Buffer {
  const text = textOf(value);
  if (text === undefined || text.length < LONG_TEXT_LENGTH) return literalOf(value, mode);
  const { noBackslashEscapes } = mode;
  return noBackslashEscapes
    ? stringLiteral(text, QUOTE_ESCAPES, SINGLE_QUOTE)
    : stringLiteral(text, BACKSLASH_ESCAPES, BACKSLASH);
}

/** The text of a value that is written as a string. */
function textOf(value: Param): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || isList(value) || !('$json' in value)) return undefined;
  return jsonTextOf(value.$json);
}

function stringLiteral(text: string, escapes: Uint8Array, mark: number): Buffer {
  const source = Buffer.from(text);
  let escaped = 0;
  for (let index = 0; index < source.length; index += 1) {
    if (escapes[source[index] ?? 0] !== 0) escaped += 1;
  }
  const literal = Buffer.allocUnsafeSlow(source.length + escaped + 2);
  literal[0] = SINGLE_QUOTE;
  literal[literal.length - 1] = SINGLE_QUOTE;
  if (escaped === 0) source.copy(literal, 1);
  else writeEscaped(source, literal, escapes, mark);
  return literal;
}

/** Only ASCII bytes are escaped, and in UTF-8 they are never part of another character. */
function writeEscaped(source: Buffer, literal: Buffer, escapes: Uint8Array, mark: number): void {
  let at = 1;
  for (let index = 0; index < source.length; index += 1) {
    const byte = source[index] ?? 0;
    const escaped = escapes[byte] ?? 0;
    if (escaped !== 0) {
      literal[at] = mark;
      at += 1;
    }
    literal[at] = escaped === 0 ? byte : escaped;
    at += 1;
  }
}

function escapesOf(escapes: Readonly<Record<string, string>>): Uint8Array {
  const table = new Uint8Array(256);
  for (const [character, escaped] of Object.entries(escapes)) {
    table[character.charCodeAt(0)] = escaped.charCodeAt(0);
  }
  return table;
}
