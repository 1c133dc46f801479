import { atOnce, type Parts } from '../../../async/turns.ts';
import { BrokerError } from '../../../errors.ts';
import { refuseManyValues, surveyJson } from './json-survey.ts';
import { LosslessReader } from './lossless-reader.ts';

/** Text without any of these is read by JSON.parse alone. Keys may contain escapes. */
const NEEDS_CARE = /\$json"|__proto__|\\u00[2-7]|\d{16}|[eE]\+?\d{3}/;
/** Those of them that are not numbers. */
const CAREFUL_TEXTS = ['$json"', '__proto__', '\\u00'];

/** Values per part, which takes about a millisecond. */
const VALUES_PER_PART = 10_000;

/**
 * Parses JSON without loss: integers that `JSON.parse` would round are refused, and the document of a
 * `{"$json": ...}` stays a {@link JsonText}. Fractions and numbers with an exponent are doubles. Of duplicate keys the
 * last counts.
 *
 * @throws {BrokerError} INVALID_REQUEST, with the path of the refused value.
 */
export function parseLossless(text: string): unknown {
  const parsed = parseJson(text);
  return NEEDS_CARE.test(text) ? atOnce(readExactly(text)) : parsed;
}

/**
 * `parseLossless` for a large body in UTF-8, in parts. Counts the values before it parses.
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

/** The text without a byte order mark. */
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
  const reader = new LosslessReader(text);
  while (!reader.readOn(VALUES_PER_PART)) yield;
  return reader.value;
}
