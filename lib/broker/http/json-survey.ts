import { BrokerError } from '../../errors.ts';

/** Values and names of fields in one request: room for as many tagged values as a statement takes (3 each). */
const MAX_JSON_VALUES = 200_000;

/** What one look over the bytes of a JSON text finds, before anything is made of it. */
interface JsonSurvey {
  /** Values, those in arrays and objects included, and names of fields. */
  readonly values: number;
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

const SEPARATORS = tableOf(' \t\n\r,:]}');
const OPENING = tableOf('[{');

/** Of what is not JSON the result means nothing. */
export function surveyJson(json: Uint8Array): JsonSurvey {
  let values = 0;
  let holdsRareNumber = false;
  let isInWord = false;
  let digits = 0;
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
    else if (OPENING[byte] === 1) values += 1;
    else if (byte === QUOTE) {
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
  return { values, holdsRareNumber };
}

/** @throws {BrokerError} INVALID_REQUEST. */
export function refuseManyValues({ values }: JsonSurvey): void {
  if (values <= MAX_JSON_VALUES) return;
  throw new BrokerError(
    'INVALID_REQUEST',
    `the body holds ${values} JSON values and names; at most ${MAX_JSON_VALUES} are allowed`,
    { limit: { name: 'values', max: MAX_JSON_VALUES, actual: values } },
  );
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}
