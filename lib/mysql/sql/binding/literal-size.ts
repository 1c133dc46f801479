import type { Param } from '../../../protocol/values.ts';
import type { SqlMode } from '../lexer/sql-mode.ts';
import { isList, jsonTextOf, type SingleParam } from './literal.ts';

/** Most bytes of UTF-8 for one UTF-16 unit. An escaped ASCII character takes two. */
export const MOST_BYTES_PER_UNIT = 3;
/** -2.2250738585072014e-308 has 24. */
const LONGEST_NUMBER_BYTES = 25;
const QUOTES_BYTES = 2;
/** x and two quotes. */
const HEX_FRAME_BYTES = 3;
const SEPARATOR_BYTES = ', '.length;

const BACKSLASH = 0x5c;
const SINGLE_QUOTE = 0x27;
/** \0 \n \r \x1a, all below a space. */
const ESCAPED_CONTROLS = new Set([0x00, 0x0a, 0x0d, 0x1a]);
const SPACE = 0x20;

/** The number of values of a parameter: one, or the members of its list. */
export function valuesIn(value: Param): number {
  return isList(value) ? value.$list.length : 1;
}

/** An upper bound of a value's bytes in the statement, found without reading its text. */
export function mostLiteralBytes(value: Param): number {
  if (!isList(value)) return mostSingleBytes(value);
  let bytes = 0;
  for (const item of value.$list) bytes += mostSingleBytes(item) + SEPARATOR_BYTES;
  return bytes;
}

/** A value's bytes in the statement: the length of `literalOf` as UTF-8. */
export function literalBytes(value: Param, mode: SqlMode): number {
  if (!isList(value)) return singleBytes(value, mode);
  let bytes = 0;
  for (const item of value.$list) bytes += singleBytes(item, mode) + SEPARATOR_BYTES;
  return bytes - SEPARATOR_BYTES;
}

function mostSingleBytes(value: SingleParam): number {
  if (typeof value === 'string') return MOST_BYTES_PER_UNIT * value.length + QUOTES_BYTES;
  if (value === null || typeof value !== 'object') return LONGEST_NUMBER_BYTES;
  if ('$bytes' in value) return 2 * value.$bytes.length + HEX_FRAME_BYTES;
  if ('$bigint' in value) return value.$bigint.length;
  if ('$decimal' in value) return value.$decimal.length;
  return MOST_BYTES_PER_UNIT * jsonTextOf(value.$json).length + QUOTES_BYTES;
}

function singleBytes(value: SingleParam, mode: SqlMode): number {
  if (value === null) return 'NULL'.length;
  if (typeof value === 'string') return stringBytes(value, mode);
  if (typeof value !== 'object') return String(value).length;
  if ('$bytes' in value) return 2 * Buffer.byteLength(value.$bytes, 'base64') + HEX_FRAME_BYTES;
  if ('$bigint' in value) return value.$bigint.length;
  if ('$decimal' in value) return value.$decimal.length;
  return stringBytes(jsonTextOf(value.$json), mode);
}

function stringBytes(text: string, { noBackslashEscapes }: SqlMode): number {
  let escapes = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === SINGLE_QUOTE) escapes += 1;
    else if (!noBackslashEscapes && (code === BACKSLASH || (code < SPACE && ESCAPED_CONTROLS.has(code)))) {
      escapes += 1;
    }
  }
  return Buffer.byteLength(text) + escapes + QUOTES_BYTES;
}
