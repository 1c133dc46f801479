import { atOnce, type Parts } from '../../../async/turns.ts';
import { assert } from '../../../errors.ts';
import { JsonText } from '../../../protocol/json-text.ts';
import type { ListItem, Param } from '../../../protocol/values.ts';
import type { SqlMode } from '../lexer/sql-mode.ts';

export type ListParam = Extract<Param, { $list: unknown }>;
export type SingleParam = Exclude<Param, ListParam>;

export function isList(value: Param): value is ListParam {
  return typeof value === 'object' && value !== null && '$list' in value;
}

/** The value as SQL text. Lists become their members, separated by commas. */
export function literalOf(value: Param, mode: SqlMode): string {
  if (!isList(value)) return singleLiteral(value, mode);
  return value.$list.map((item: ListItem) => singleLiteral(item, mode)).join(', ');
}

function singleLiteral(value: SingleParam, mode: SqlMode): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return stringLiteral(value, mode);
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  if (typeof value === 'number') return numberLiteral(String(value));
  if ('$bytes' in value) return `x'${Buffer.from(value.$bytes, 'base64').toString('hex')}'`;
  if ('$bigint' in value) return numberLiteral(value.$bigint);
  if ('$decimal' in value) return numberLiteral(value.$decimal);
  return stringLiteral(jsonTextOf(value.$json), mode);
}

export function jsonTextOf(document: unknown): string {
  return document instanceof JsonText ? document.text : JSON.stringify(document);
}

/** The only text that is written without quotes, so it is checked again. */
function numberLiteral(text: string): string {
  assert(/^-?\d+(\.\d+)?(e[+-]\d+)?$/.test(text), 'a number that is not one');
  return text;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\n': '\\n',
  '\r': '\\r',
  '\x1a': '\\Z',
  '\\': '\\\\',
  "'": "\\'",
};

/** Always in single quotes: double ones are identifiers under ANSI_QUOTES. */
function stringLiteral(text: string, { noBackslashEscapes }: SqlMode): string {
  if (noBackslashEscapes) return `'${text.replaceAll("'", "''")}'`;
  return `'${text.replace(/[\0\n\r\cZ\\']/g, (character) => ESCAPES[character] ?? character)}'`;
}

const ESCAPE_OR_PAIR = /\\([\s\S])|''|""/g;
const PAIR = /''|""/g;

const ESCAPED: Readonly<Record<string, string>> = {
  '0': '\0',
  b: '\b',
  n: '\n',
  r: '\r',
  t: '\t',
  Z: '\x1a',
  // These two keep their backslash.
  '%': '\\%',
  _: '\\_',
};

/** The text of a string literal, as a server reads it. */
export function textOf(string: string, mode: SqlMode): string {
  return atOnce(textInParts(string, mode));
}

/** Escapes per part. */
const ESCAPES_PER_PART = 20_000;

/** `textOf` in parts. */
export function* textInParts(string: string, { noBackslashEscapes }: SqlMode): Parts<string> {
  const quote = string.charAt(0);
  const body = string.slice(1, -1);
  const pair = noBackslashEscapes ? PAIR : ESCAPE_OR_PAIR;
  let text = '';
  let end = 0;
  let count = 0;
  pair.lastIndex = 0;
  for (let found = pair.exec(body); found !== null; found = pair.exec(body)) {
    const [whole, escaped] = found;
    const meant = escaped === undefined ? quote : (ESCAPED[escaped] ?? escaped);
    const isPair = escaped === undefined && !whole.startsWith(quote);
    text += body.slice(end, found.index) + (isPair ? whole : meant);
    end = pair.lastIndex;
    count += 1;
    if (count % ESCAPES_PER_PART !== 0) continue;
    yield;
    // Another call may have used the pattern meanwhile.
    pair.lastIndex = end;
  }
  return text + body.slice(end);
}
