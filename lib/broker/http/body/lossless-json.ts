import { atOnce, type Parts } from '../../../async/turns.ts';
import { BrokerError } from '../../../errors.ts';
import { refuseManyValues, surveyJson } from './json-survey.ts';
import { ExactReader } from './lossless-reader.ts';

/** Text without any of these is read by JSON.parse alone. Keys may be spelled with escapes. */
const NEEDS_CARE = /\$json"|__proto__|\\u00[2-7]|\d{16}|[eE]\+?\d{3}/;
/** Those of them that may stand in strings. */
const CAREFUL_TEXTS = ['$json"', '__proto__', '\\u00'];

/** Values that are read in one part, in about a millisecond. */
const VALUES_PER_PART = 10_000;

/**
 * JSON as its sender meant it: what `JSON.parse` would round is refused, and the document of a `{"$json": ...}`
 * comes as its {@link JsonText}. Fractions and numbers with an exponent are doubles. Of doubled keys the last counts.
 *
 * @throws {BrokerError} INVALID_REQUEST, with the place of what cannot be taken.
 */
export function parseExactly(text: string): unknown {
  const parsed = parseJson(text);
  return NEEDS_CARE.test(text) ? atOnce(readExactly(text)) : parsed;
}

/**
 * The same of a large body, given as UTF-8. Its values are counted before anything is made of them.
 *
 * @throws {BrokerError} INVALID_REQUEST.
 */
export function* parseInParts(body: Buffer): Parts<unknown> {
  const survey = surveyJson(body);
  refuseManyValues(survey);
  yield;
  const text = textOfJson(body);
  const parsed = parseJson(text);
  yield;
  const needsCare = survey.holdsRareNumber || CAREFUL_TEXTS.some((careful) => text.includes(careful));
  return needsCare ? yield* readExactly(text) : parsed;
}

/** Without its byte order mark. */
export function textOfJson(body: Buffer): string {
  return body.toString('utf8').replace(/^\uFEFF/, '');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalidJson(cause);
  }
}

function invalidJson(cause: unknown): BrokerError {
  return new BrokerError('INVALID_REQUEST', 'The body is not valid JSON', { cause });
}

function* readExactly(text: string): Parts<unknown> {
  const reader = new ExactReader(text);
  while (!reader.readOn(VALUES_PER_PART)) yield;
  return reader.value;
}
