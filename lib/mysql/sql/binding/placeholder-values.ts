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

/** Where a value is used: by one placeholder, or by all of one name. */
type ValueContext = Pick<Placeholder, 'isInList' | 'isInExecutableComment'>;

interface NamedContext extends ValueContext {
  uses: number;
  isInList: boolean;
  isInExecutableComment: boolean;
}

type ContextsByName = ReadonlyMap<string, NamedContext>;

/** The size of a set of values. */
interface Measure {
  /** Number of values, with those of lists. */
  readonly values: number;
  /** Upper bound of the literals' bytes. */
  readonly mostBytes: number;
}

/** Larger statements are written in parts. */
const MAX_SHORT_VALUES = 2_000;
const MAX_SHORT_BYTES = 262_144;

/** Fills the placeholders of a statement: first checks a set of values, and writes the text when it is needed. */
export class PlaceholderValues {
  readonly #sql: string;
  readonly #scan: StatementScan;
  readonly #mode: SqlMode;
  /** Computed when they are needed. */
  #named: readonly Placeholder[] | undefined;
  #unnamed: readonly Placeholder[] | undefined;
  #contexts: ContextsByName | undefined;
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
   * @returns whether it takes long to write.
   */
  check(params: Params | undefined, maxBytes: number): boolean {
    const placeholders = this.#placeholdersFor(params);
    const isNamed = params !== undefined && !Array.isArray(params);
    const { values, mostBytes } = isNamed
      ? checkNamed(this.#contextsOf(placeholders), params)
      : checkUnnamed(placeholders, params ?? []);
    if (values > MAX_PLACEHOLDERS) throw tooManyValues('values, those of its lists included', values);
    const mostFixedBytes = MOST_BYTES_PER_UNIT * this.#sql.length + 2 * placeholders.length;
    const isLong = values > MAX_SHORT_VALUES || mostBytes > MAX_SHORT_BYTES;
    if (mostFixedBytes + mostBytes <= maxBytes) return isLong;
    this.#fixedBytes ??= this.#countFixedBytes(placeholders);
    const bytes = this.#fixedBytes + (isNamed ? this.#namedBytes(params) : this.#unnamedBytes(params ?? []));
    if (bytes > maxBytes) throw statementTooLarge('maxStatementBytes', maxBytes, bytes);
    return isLong;
  }

  /** The statement with a checked set of values, each as one literal. */
  write(params: Params | undefined): SqlText {
    const placeholders = this.#placeholdersFor(params);
    const { end } = this.#scan;
    const sql = this.#sql;
    if (placeholders.length === 0 || params === undefined) return sql.slice(0, end);
    const literalAt = Array.isArray(params)
      ? (index: number) => literalPiece(given(params[index]), this.#mode)
      : this.#namedLiterals(placeholders, params);
    const pieces = new SqlPieces();
    let written = 0;
    for (let index = 0; index < placeholders.length; index += 1) {
      const placeholder = placeholders[index];
      assert(placeholder !== undefined, 'a placeholder is missing');
      const literal = literalAt(index);
      pieces.add(sql.slice(written, placeholder.start) + spaceBefore(placeholder, sql));
      pieces.add(literal);
      pieces.add(spaceBehind(placeholder, sql));
      written = placeholder.end;
    }
    pieces.add(sql.slice(written, end));
    return pieces.take();
  }

  /** `write` in parts. */
  *writeInParts(params: Params | undefined): Parts<SqlText> {
    const placeholders = this.#placeholdersFor(params);
    const { end } = this.#scan;
    if (placeholders.length === 0 || params === undefined) return this.#sql.slice(0, end);
    return yield* writeInParts({ sql: this.#sql, end, placeholders, params, mode: this.#mode });
  }

  /** A name may be used several times: its literal is built once. */
  #namedLiterals(
    placeholders: readonly Placeholder[],
    params: Readonly<Record<string, Param>>,
  ): (index: number) => string | Buffer {
    const literals = new Map<string, string | Buffer>();
    for (const name of this.#contextsOf(placeholders).keys()) {
      literals.set(name, literalPiece(given(params[name]), this.#mode));
    }
    return (index) => literals.get(placeholders[index]?.name ?? '') ?? '';
  }

  #namedBytes(params: Readonly<Record<string, Param>>): number {
    let bytes = 0;
    for (const [name, { uses }] of this.#contexts ?? []) {
      bytes += uses * literalBytes(given(params[name]), this.#mode);
    }
    return bytes;
  }

  #unnamedBytes(params: readonly Param[]): number {
    return params.reduce((bytes: number, value) => bytes + literalBytes(value, this.#mode), 0);
  }

  #countFixedBytes(placeholders: readonly Placeholder[]): number {
    let bytes = Buffer.byteLength(this.#sql.slice(0, this.#scan.end));
    for (const placeholder of placeholders) {
      const spaces = spaceBefore(placeholder, this.#sql).length + spaceBehind(placeholder, this.#sql).length;
      bytes += spaces - Buffer.byteLength(this.#sql.slice(placeholder.start, placeholder.end));
    }
    return bytes;
  }

  /** The placeholders that this kind of params fills; without params all of them, so that none stays unfilled. */
  #placeholdersFor(params: Params | undefined): readonly Placeholder[] {
    const { placeholders, definesProgram } = this.#scan;
    if (params === undefined) return definesProgram ? [] : placeholders;
    if (Array.isArray(params)) {
      this.#unnamed ??= placeholders.filter(({ name }) => name === undefined);
      return this.#unnamed;
    }
    this.#named ??= placeholders.filter(({ name }) => name !== undefined);
    return this.#named;
  }

  #contextsOf(placeholders: readonly Placeholder[]): ContextsByName {
    this.#contexts ??= contextsByName(placeholders);
    return this.#contexts;
  }
}

function contextsByName(placeholders: readonly Placeholder[]): ContextsByName {
  const contexts = new Map<string, NamedContext>();
  for (const { name = '', isInList, isInExecutableComment } of placeholders) {
    const context = contexts.get(name);
    if (context === undefined) contexts.set(name, { uses: 1, isInList, isInExecutableComment });
    else {
      context.uses += 1;
      context.isInList &&= isInList;
      context.isInExecutableComment ||= isInExecutableComment;
    }
  }
  return contexts;
}

function given(value: Param | undefined): Param {
  assert(value !== undefined, 'a placeholder without its value');
  return value;
}

function checkUnnamed(placeholders: readonly Placeholder[], params: readonly Param[]): Measure {
  const unnamed = placeholders.find(({ name }) => name !== undefined);
  if (unnamed) throw invalid(`no value for :${unnamed.name}`);
  if (placeholders.length !== params.length) {
    const values = `${count(params.length, 'value')} ${params.length === 1 ? 'was' : 'were'}`;
    throw invalid(`the statement has ${count(placeholders.length, 'placeholder')}, but ${values} given`);
  }
  let values = 0;
  let mostBytes = 0;
  for (let index = 0; index < placeholders.length; index += 1) {
    const placeholder = placeholders[index];
    const value = given(params[index]);
    if (placeholder !== undefined) checkValue(placeholder, value);
    values += valuesIn(value);
    mostBytes += mostLiteralBytes(value);
  }
  return { values, mostBytes };
}

function checkNamed(contexts: ContextsByName, params: Readonly<Record<string, Param>>): Measure {
  let values = 0;
  let mostBytes = 0;
  for (const [name, context] of contexts) {
    if (!Object.hasOwn(params, name)) throw invalid(`no value for :${name}`);
    const value = given(params[name]);
    checkValue(context, value);
    values += context.uses * valuesIn(value);
    mostBytes += context.uses * mostLiteralBytes(value);
  }
  for (const name of Object.keys(params)) {
    if (!contexts.has(name)) throw invalid(`:${name.slice(0, 64)} is not in the statement`);
  }
  return { values, mostBytes };
}

function checkValue({ isInList, isInExecutableComment }: ValueContext, value: Param): void {
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

/** More values than MySQL allows in a prepared statement (its protocol counts them in 16 bits). */
export function tooManyValues(what: string, found: number): BrokerError {
  return new BrokerError(
    'INVALID_REQUEST',
    `the statement has ${found} ${what}; at most ${MAX_PLACEHOLDERS} are allowed`,
    { limit: { name: 'values', max: MAX_PLACEHOLDERS, actual: found } },
  );
}

/** The statement with its values has more bytes than may be sent. */
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
