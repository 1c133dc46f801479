import { BrokerError } from '../../../errors.ts';

/** Values and field names in one request: enough for as many tagged values as a statement takes (3 each). */
const MAX_JSON_VALUES = 200_000;

/** Fields of one object: `JSON.parse` takes too long for more distinct names. */
const MAX_JSON_FIELDS = 32_768;

/** Counts over the bytes of a JSON text, made before it is parsed. */
interface JsonSurvey {
  /** Values, those in arrays and objects included, and names of fields. */
  readonly values: number;
  /** Fields of the object that has the most. */
  readonly mostFields: number;
  /** It holds a number with an exponent, or with so many digits that `JSON.parse` may round it. */
  readonly holdsRareNumber: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const LETTER_E = 0x65;
const LOWER_CASE = 0x20;
const LONGEST_EXACT_DIGITS = 15;

const COLON = 0x3a;
const SEPARATORS = tableOf(' \t\n\r,');
const OPENING = tableOf('[{');
const CLOSING = tableOf(']}');

/** The result is meaningless for invalid JSON. */
export function surveyJson(json: Uint8Array): JsonSurvey {
  let values = 0;
  let holdsRareNumber = false;
  let isInWord = false;
  let digits = 0;
  let fields = 0;
  let mostFields = 0;
  const outerFields: number[] = [];
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at] ?? 0;
    if (byte >= DIGIT_0 && byte <= DIGIT_9) {
      if (!isInWord) values += 1;
      isInWord = true;
      digits += 1;
      if (digits > LONGEST_EXACT_DIGITS) holdsRareNumber = true;
      continue;
    }
    if (SEPARATORS[byte] === 1) isInWord = false;
    else if (OPENING[byte] === 1) {
      values += 1;
      // Beyond this the text is refused.
      if (values <= MAX_JSON_VALUES) outerFields.push(fields);
      fields = 0;
    } else if (CLOSING[byte] === 1) {
      isInWord = false;
      fields = outerFields.pop() ?? 0;
    } else if (byte === COLON) {
      isInWord = false;
      fields += 1;
      mostFields = Math.max(mostFields, fields);
    } else if (byte === QUOTE) {
      values += 1;
      at += 1;
      while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
    } else {
      if (!isInWord) values += 1;
      else if (digits > 0 && (byte | LOWER_CASE) === LETTER_E) holdsRareNumber = true;
      isInWord = true;
    }
    digits = 0;
  }
  return { values, mostFields, holdsRareNumber };
}

/** @throws {BrokerError} INVALID_REQUEST. */
export function refuseManyValues({ values, mostFields }: JsonSurvey): void {
  if (values > MAX_JSON_VALUES) {
    throw tooMany('values', `the body holds ${values} JSON values and names`, MAX_JSON_VALUES, values);
  }
  if (mostFields > MAX_JSON_FIELDS) {
    throw tooMany('fields', `the body holds an object of ${mostFields} fields`, MAX_JSON_FIELDS, mostFields);
  }
}

function tooMany(name: string, found: string, max: number, actual: number): BrokerError {
  const message = `${found}; at most ${max} are allowed`;
  return new BrokerError('INVALID_REQUEST', message, { limit: { name, max, actual } });
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}
