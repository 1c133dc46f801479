import { BrokerError } from '../errors.ts';
import type { Column, ResultSet } from '../protocol/query.ts';

/** The form of rows and their cells. */
export interface RowOptions {
  readonly rows: RowShape;
  readonly bigint: BigintForm;
  readonly json: JsonForm;
}

/** `object`: by column name. `array`: in column order, which also takes columns of the same name. */
export type RowShape = 'object' | 'array';
/** `number-or-string`: a number where it is exact, else its digits. */
export type BigintForm = 'number-or-string' | 'bigint' | 'string';
/** `text`: as stored, with numbers that JavaScript would round. */
export type JsonForm = 'parsed' | 'text';

/** The default type of a row. */
export type RowOf<Shape extends RowShape> = Shape extends 'array' ? unknown[] : Record<string, unknown>;

type Decode = (cell: unknown) => unknown;

/**
 * Decodes rows as `options` say. `Row` is not checked.
 *
 * @throws {BrokerError} `INVALID_REQUEST` if the rows do not fit the options. The statement has run; the caller adds its
 *   outcome.
 */
export function decodeRows<Row extends object>({ columns, rows }: ResultSet, options: RowOptions): Row[] {
  return rowDecoder<Row>(columns, options)(rows);
}

/** `decodeRows` for rows that arrive in several parts. */
export function rowDecoder<Row extends object>(
  columns: readonly Column[],
  options: RowOptions,
): (rows: readonly unknown[][]) => Row[] {
  const decoders = columns.map((column) => withNull(decoderOf(column, options)));
  const decodeCells = (row: unknown[]) => row.map((cell, index) => decoders[index]?.(cell));
  if (options.rows === 'array') return (rows) => rows.map(decodeCells) as object[] as Row[];
  const names = distinctNames(columns);
  // fromEntries defines its keys, so that a column named __proto__ is safe.
  const decodeObject = (row: unknown[]) => {
    const cells = decodeCells(row);
    return Object.fromEntries(names.map((name, index) => [name, cells[index]]));
  };
  return (rows) => rows.map(decodeObject) as object[] as Row[];
}

function distinctNames(columns: readonly Column[]): string[] {
  const names = columns.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return names;
  throw unfit(`The result has several columns named "${twice}": rename them with AS, or use rows: 'array'`);
}

function withNull(decode: Decode): Decode {
  return (cell) => (cell === null ? null : decode(cell));
}

function decoderOf({ name, type }: Column, { bigint, json }: RowOptions): Decode {
  if (type === 'BIGINT') return BIGINT_DECODERS[bigint];
  if (type === 'JSON' && json === 'parsed') return (text) => parseJson(String(text), name);
  return decodeBytes;
}

const BIGINT_DECODERS: Readonly<Record<BigintForm, Decode>> = {
  'number-or-string': (digits) => (Number.isSafeInteger(Number(digits)) ? Number(digits) : digits),
  bigint: (digits) => BigInt(String(digits)),
  string: (digits) => digits,
};

function decodeBytes(cell: unknown): unknown {
  if (typeof cell !== 'object' || cell === null || !('$bytes' in cell)) return cell;
  // Copied: a small Buffer is a view of a shared pool.
  return new Uint8Array(Buffer.from(String(cell.$bytes), 'base64'));
}

function parseJson(text: string, column: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unfit(`The column "${column}" holds text that is not JSON: use json: 'text'`, cause);
  }
}

function unfit(message: string, cause?: unknown): BrokerError {
  return new BrokerError('INVALID_REQUEST', message, { cause });
}
