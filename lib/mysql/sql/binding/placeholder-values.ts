import type { Parts } from '../../../async/turns.ts';
import { assert, BrokerError } from '../../../errors.ts';
import type { Param, Params } from '../../../protocol/values.ts';
import type { SqlMode } from '../lexer/sql-mode.ts';
import { MAX_PLACEHOLDERS, type Placeholder, type StatementScan } from '../statement-scan.ts';
import { isList, jsonTextOf } from './literal.ts';
import { literalBytes, MOST_BYTES_PER_UNIT, mostLiteralBytes, valuesIn } from './literal-size.ts';
import { spaceBefore, spaceBehind } from './literal-spacing.ts';
import { literalPiece } from './long-literal.ts';
import { writeInParts } from './long-statement.ts';
import { SqlPieces, type SqlText } from './sql-text.ts';

/** A place for a value, or what all places of one name have in common. */
type Slot = Pick<Placeholder, 'isInList' | 'isInExecutableComment'>;

interface NamedSlot extends Slot {
  places: number;
  isInList: boolean;
  isInExecutableComment: boolean;
}

/** What a set of values makes of a statement. */
interface Measure {
  /** Those of lists included. */
  readonly values: number;
  /** A bound of what the literals take. */
  readonly mostBytes: number;
}

/** Beyond these a statement is written in parts. */
const MAX_SHORT_VALUES = 2_000;
const MAX_SHORT_BYTES = 262_144;

/** Fills the placeholders of a statement: checks a set of values first, and writes the text when that is wanted. */
export class PlaceholderValues {
  readonly #sql: string;
  readonly #scan: StatementScan;
  readonly #mode: SqlMode;
  /** The placeholders of each kind, once they are needed. */
  #named: readonly Placeholder[] | undefined;
  #unnamed: readonly Placeholder[] | undefined;
  #slots: ReadonlyMap<string, NamedSlot> | undefined;
  /** Bytes of the statement without its values. */
  #fixedBytes: number | undefined;

  constructor(sql: string, scan: StatementScan, mode: SqlMode) {
    this.#sql = sql;
    this.#scan = scan;
    this.#mode = mode;
  }

  /**
   * @throws {BrokerError} INVALID_REQUEST: values and placeholders do not match. REQUEST_TOO_LARGE: the text would have
   *   more than `maxBytes`.
   * @returns whether it is long to write.
   */
  check(params: Params | undefined, maxBytes: number): boolean {
    const places = this.#placesOf(params);
    const isNamed = params !== undefined && !Array.isArray(params);
    const { values, mostBytes } = isNamed
      ? checkNamed(this.#slotsOf(places), params)
      : checkUnnamed(places, params ?? []);
    if (values > MAX_PLACEHOLDERS) throw tooManyValues('values, those of its lists included', values);
    const mostFixedBytes = MOST_BYTES_PER_UNIT * this.#sql.length + 2 * places.length;
    const isLong = values > MAX_SHORT_VALUES || mostBytes > MAX_SHORT_BYTES;
    if (mostFixedBytes + mostBytes <= maxBytes) return isLong;
    this.#fixedBytes ??= this.#countFixedBytes(places);
    const bytes = this.#fixedBytes + (isNamed ? this.#namedBytes(params) : this.#unnamedBytes(params ?? []));
    if (bytes > maxBytes) throw statementTooLarge('maxStatementBytes', maxBytes, bytes);
    return isLong;
  }

  /** The statement with a set of values that has been checked, each as one literal. */
  write(params: Params | undefined): SqlText {
    const places = this.#placesOf(params);
    const { end } = this.#scan;
    const sql = this.#sql;
    if (places.length === 0 || params === undefined) return sql.slice(0, end);
    const literalAt = Array.isArray(params)
      ? (index: number) => literalPiece(given(params[index]), this.#mode)
      : this.#namedLiterals(places, params);
    const pieces = new SqlPieces();
    let written = 0;
    for (let index = 0; index < places.length; index += 1) {
      const place = places[index];
      assert(place !== undefined, 'fewer places than there are');
      const literal = literalAt(index);
      pieces.add(sql.slice(written, place.start) + spaceBefore(place, sql));
      pieces.add(literal);
      pieces.add(spaceBehind(place, sql));
      written = place.end;
    }
    pieces.add(sql.slice(written, end));
    return pieces.take();
  }

  /** The same in parts. */
  *writeInParts(params: Params | undefined): Parts<SqlText> {
    const places = this.#placesOf(params);
    const { end } = this.#scan;
    if (places.length === 0 || params === undefined) return this.#sql.slice(0, end);
    return yield* writeInParts({ sql: this.#sql, end, places, params, mode: this.#mode });
  }

  /** A name may stand in many places: its value is written once. */
  #namedLiterals(
    places: readonly Placeholder[],
    params: Readonly<Record<string, Param>>,
  ): (index: number) => string | Buffer {
    const literals = new Map<string, string | Buffer>();
    for (const name of this.#slotsOf(places).keys()) {
      literals.set(name, literalPiece(given(params[name]), this.#mode));
    }
    return (index) => literals.get(places[index]?.name ?? '') ?? '';
  }

  #namedBytes(params: Readonly<Record<string, Param>>): number {
    let bytes = 0;
    for (const [name, { places }] of this.#slots ?? []) {
      bytes += places * literalBytes(given(params[name]), this.#mode);
    }
    return bytes;
  }

  #unnamedBytes(params: readonly Param[]): number {
    return params.reduce((bytes: number, value) => bytes + literalBytes(value, this.#mode), 0);
  }

  #countFixedBytes(places: readonly Placeholder[]): number {
    let bytes = Buffer.byteLength(this.#sql.slice(0, this.#scan.end));
    for (const place of places) {
      const spaces = spaceBefore(place, this.#sql).length + spaceBehind(place, this.#sql).length;
      bytes += spaces - Buffer.byteLength(this.#sql.slice(place.start, place.end));
    }
    return bytes;
  }

  /** The placeholders that the kind of params speaks of; without params all are, so that none goes unfilled. */
  #placesOf(params: Params | undefined): readonly Placeholder[] {
    const { placeholders, definesProgram } = this.#scan;
    if (params === undefined) return definesProgram ? [] : placeholders;
    if (Array.isArray(params)) {
      this.#unnamed ??= placeholders.filter(({ name }) => name === undefined);
      return this.#unnamed;
    }
    this.#named ??= placeholders.filter(({ name }) => name !== undefined);
    return this.#named;
  }

  #slotsOf(places: readonly Placeholder[]): ReadonlyMap<string, NamedSlot> {
    this.#slots ??= slotsOf(places);
    return this.#slots;
  }
}

function slotsOf(places: readonly Placeholder[]): ReadonlyMap<string, NamedSlot> {
  const slots = new Map<string, NamedSlot>();
  for (const { name = '', isInList, isInExecutableComment } of places) {
    const slot = slots.get(name);
    if (slot === undefined) slots.set(name, { places: 1, isInList, isInExecutableComment });
    else {
      slot.places += 1;
      slot.isInList &&= isInList;
      slot.isInExecutableComment ||= isInExecutableComment;
    }
  }
  return slots;
}

function given(value: Param | undefined): Param {
  assert(value !== undefined, 'a placeholder without its value');
  return value;
}

function checkUnnamed(places: readonly Placeholder[], params: readonly Param[]): Measure {
  const unnamed = places.find(({ name }) => name !== undefined);
  if (unnamed) throw invalid(`no value for :${unnamed.name}`);
  if (places.length !== params.length) {
    const values = `${count(params.length, 'value')} ${params.length === 1 ? 'was' : 'were'}`;
    throw invalid(`the statement has ${count(places.length, 'placeholder')}, but ${values} given`);
  }
  let values = 0;
  let mostBytes = 0;
  for (let index = 0; index < places.length; index += 1) {
    const place = places[index];
    const value = given(params[index]);
    if (place !== undefined) checkValue(place, value);
    values += valuesIn(value);
    mostBytes += mostLiteralBytes(value);
  }
  return { values, mostBytes };
}

function checkNamed(slots: ReadonlyMap<string, NamedSlot>, params: Readonly<Record<string, Param>>): Measure {
  let values = 0;
  let mostBytes = 0;
  for (const [name, slot] of slots) {
    if (!Object.hasOwn(params, name)) throw invalid(`no value for :${name}`);
    const value = given(params[name]);
    checkValue(slot, value);
    values += slot.places * valuesIn(value);
    mostBytes += slot.places * mostLiteralBytes(value);
  }
  for (const name of Object.keys(params)) {
    if (!slots.has(name)) throw invalid(`:${name.slice(0, 64)} is not in the statement`);
  }
  return { values, mostBytes };
}

function checkValue({ isInList, isInExecutableComment }: Slot, value: Param): void {
  if (isList(value) && !isInList) throw invalid('$list stands only in IN (?), alone in the parentheses');
  if (isInExecutableComment && holdsCommentMark(value)) {
    throw invalid('a value that holds /* or */ cannot stand in an executable comment');
  }
}

function holdsCommentMark(value: Param): boolean {
  if (isList(value)) return value.$list.some(holdsCommentMark);
  const text =
    typeof value === 'object' && value !== null && '$json' in value ? jsonTextOf(value.$json) : value;
  return typeof text === 'string' && /\/\*|\*\//.test(text);
}

/** MySQL takes so many values in a prepared statement (its protocol counts them in 16 bits). */
export function tooManyValues(what: string, found: number): BrokerError {
  return new BrokerError(
    'INVALID_REQUEST',
    `the statement has ${found} ${what}; at most ${MAX_PLACEHOLDERS} are allowed`,
    { limit: { name: 'values', max: MAX_PLACEHOLDERS, actual: found } },
  );
}

/** The statement with its values written into it has more bytes than may be sent. */
export function statementTooLarge(name: string, max: number, actual: number): BrokerError {
  return new BrokerError(
    'REQUEST_TOO_LARGE',
    `The statement with its values has ${actual} bytes; ${name} is ${max}`,
    { limit: { name, max, actual } },
  );
}

function invalid(message: string): BrokerError {
  return new BrokerError('INVALID_REQUEST', message);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
