import { isDigit, isWordCode } from './characters.ts';

const DOT = 0x2e;
const LOWER_CASE = 0x20;
const LETTER_E = 0x65;

/**
 * The exponent of a number with a dot has no digits: MySQL drops such a number together with the next character, or
 * two (1.5e(2) is 2).
 */
export const BROKEN_NUMBER = -1;

/**
 * The end of the number that begins here, by the rules of both servers: an integer must not be followed by an identifier
 * character (1INTO and 0x1G are identifiers), a number with a dot or an exponent ends after its digits (1.5INTO is a
 * number and a keyword).
 *
 * @returns undefined if no number begins here.
 */
export function endOfNumber(sql: string, start: number): number | undefined {
  const special = endOfHexOrBinary(sql, start);
  if (special !== undefined) return special;
  let end = endOfDigits(sql, start);
  const hasDot = sql.charCodeAt(end) === DOT;
  if (hasDot) {
    const fractionEnd = endOfDigits(sql, end + 1);
    if (fractionEnd === start + 1) return undefined;
    end = fractionEnd;
  }
  const exponentEnd = endOfExponent(sql, end);
  if (exponentEnd !== BROKEN_NUMBER && exponentEnd !== undefined) return exponentEnd;
  if (hasDot) return exponentEnd ?? end;
  return isWordCode(sql.charCodeAt(end)) ? undefined : end;
}

/** 0x1F and 0b01: the letter must be lower case. */
function endOfHexOrBinary(sql: string, start: number): number | undefined {
  const isHex = sql.startsWith('0x', start);
  if (!isHex && !sql.startsWith('0b', start)) return undefined;
  let end = start + 2;
  while (isHex ? isHexDigit(sql.charCodeAt(end)) : isBinaryDigit(sql.charCodeAt(end))) end += 1;
  return end > start + 2 && !isWordCode(sql.charCodeAt(end)) ? end : undefined;
}

function endOfDigits(sql: string, start: number): number {
  let end = start;
  while (isDigit(sql.charCodeAt(end))) end += 1;
  return end;
}

/** Undefined: no exponent begins here. */
function endOfExponent(sql: string, start: number): number | undefined {
  if ((sql.charCodeAt(start) | LOWER_CASE) !== LETTER_E) return undefined;
  const sign = sql.charAt(start + 1);
  const digits = sign === '+' || sign === '-' ? start + 2 : start + 1;
  return isDigit(sql.charCodeAt(digits)) ? endOfDigits(sql, digits) : BROKEN_NUMBER;
}

function isHexDigit(code: number): boolean {
  const letter = code | LOWER_CASE;
  return isDigit(code) || (letter >= 0x61 && letter <= 0x66);
}

function isBinaryDigit(code: number): boolean {
  return code === 0x30 || code === 0x31;
}
