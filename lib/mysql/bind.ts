import { assert, BrokerError } from '../errors.ts';
import type { Param, Params } from '../protocol/values.ts';
import { isList, literalOf, textOf } from './literal.ts';
import { cachedScan } from './scan-cache.ts';
import type { SqlMode } from './sql-mode.ts';
import type { StatementPlace } from './statement-place.ts';
import type { Placeholder, StatementScan } from './statement-scan.ts';

/** A statement that may be sent, and what was found out about it on the way. */
export interface BoundStatement
  extends Pick<StatementScan, 'isPlain' | 'isRead' | 'effect' | 'mayEndTransaction' | 'onlyAlone'> {
  readonly text: string;
}

/**
 * Writes the values into the SQL text, each as one literal, for a session in the given mode whose character set is
 * utf8mb4. An array fills `?`, an object fills `:name`. The text must be one statement that callers may run in this place; what
 * closes it (`;` and comments behind) is left out.
 *
 * @throws {BrokerError} INVALID_REQUEST: the text cannot be read, or values and placeholders do not match.
 *   STATEMENT_NOT_ALLOWED: several statements, or one that may not run in this place.
 */
export function bindStatement(
  sql: string,
  params: Params | undefined,
  mode: SqlMode,
  place: StatementPlace,
): BoundStatement {
  return statementBinder(sql, mode, place)(params);
}

/** The same for one text and many sets of values: it is read only once. */
export function statementBinder(
  sql: string,
  mode: SqlMode,
  place: StatementPlace,
): (params: Params | undefined) => BoundStatement {
  const scan = scanAllowed(sql, mode, place);
  const { isPlain, isRead, effect, mayEndTransaction, onlyAlone } = scan;
  return (params) => {
    const places = placesFor(params, scan);
    const values = valuesFor(places, params);
    const parts: string[] = [];
    let written = 0;
    for (const [index, place] of places.entries()) {
      const value = values[index];
      assert(value !== undefined, 'a placeholder without its value');
      parts.push(sql.slice(written, place.start), setApart(literalAt(place, value, mode), place, sql));
      written = place.end;
    }
    const text = parts.join('') + sql.slice(written, scan.end);
    return { text, isPlain, isRead, effect, mayEndTransaction, onlyAlone };
  };
}

/** A statement that holds another one as text may do so only where that one may run itself. */
function scanAllowed(sql: string, mode: SqlMode, place: StatementPlace): StatementScan {
  const scan = cachedScan(sql, mode);
  if (scan.unreadable !== undefined) throw invalid(`the statement cannot be read: ${scan.unreadable}`);
  if (scan.isEmpty) throw invalid('the statement is empty');
  const reason = reasonToRefuse(scan, place);
  if (reason !== undefined) throw new BrokerError('STATEMENT_NOT_ALLOWED', reason);
  const { preparedText } = scan;
  if (preparedText) scanAllowed(textOf(sql.slice(preparedText.start, preparedText.end), mode), mode, place);
  return scan;
}

function reasonToRefuse(scan: StatementScan, place: StatementPlace): string | undefined {
  const { forbidden, onlyInTransaction, onlyAlone } = scan;
  if (scan.hasSeveralStatements) return 'one statement per call';
  if (forbidden !== undefined) return `${forbidden} is not allowed`;
  if (place === 'alone') {
    return onlyInTransaction && `${onlyInTransaction} is allowed only inside a transaction`;
  }
  return onlyAlone && `${onlyAlone} is allowed only outside a transaction`;
}

/** The placeholders that the kind of params speaks of; without params all are, so that none goes unfilled. */
function placesFor(params: Params | undefined, scan: StatementScan): readonly Placeholder[] {
  if (params === undefined && scan.definesProgram) return [];
  if (params === undefined) return scan.placeholders;
  const isNamed = !Array.isArray(params);
  return scan.placeholders.filter(({ name }) => (name !== undefined) === isNamed);
}

function valuesFor(places: readonly Placeholder[], params: Params = []): readonly Param[] {
  if (!Array.isArray(params)) return namedValues(places, params);
  const unnamed = places.find(({ name }) => name !== undefined);
  if (unnamed) throw invalid(`no value for :${unnamed.name}`);
  if (places.length === params.length) return params;
  throw invalid(
    `the statement has ${count(places.length, 'placeholder')}, but ${count(params.length, 'value')} ${
      params.length === 1 ? 'was' : 'were'
    } given`,
  );
}

function namedValues(
  places: readonly Placeholder[],
  params: Readonly<Record<string, Param>>,
): readonly Param[] {
  const given = new Map(Object.entries(params));
  const used = new Set<string>();
  const values = places.map(({ name = '' }) => {
    const value = given.get(name);
    if (value === undefined) throw invalid(`no value for :${name}`);
    used.add(name);
    return value;
  });
  for (const name of given.keys()) {
    if (!used.has(name)) throw invalid(`:${name.slice(0, 64)} is not in the statement`);
  }
  return values;
}

function literalAt(place: Placeholder, value: Param, mode: SqlMode): string {
  if (isList(value) && !place.isInList)
    throw invalid('$list stands only in IN (?), alone in the parentheses');
  const literal = literalOf(value, mode);
  if (place.isInExecutableComment && /\/\*|\*\//.test(literal)) {
    throw invalid('a value that holds /* or */ cannot stand in an executable comment');
  }
  return literal;
}

/**
 * Puts a space wherever the literal could grow together with its neighbour: N? must not become N'...', nor 'a'?
 * a longer string. None behind a minus: no literal begins with a space, so --? cannot become a comment.
 */
function setApart(literal: string, { start, end }: Placeholder, sql: string): string {
  const before = start === 0 || /[ \t\n\r(,=-]/.test(sql.charAt(start - 1)) ? '' : ' ';
  const after = end === sql.length || /[ \t\n\r),=;]/.test(sql.charAt(end)) ? '' : ' ';
  return before + literal + after;
}

function invalid(message: string): BrokerError {
  return new BrokerError('INVALID_REQUEST', message);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
