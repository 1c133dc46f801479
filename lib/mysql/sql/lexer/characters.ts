const DOLLAR = 0x24;
const DOT = 0x2e;
const SPACE = 0x20;
const FIRST_NON_ASCII = 0x80;

const isNameCode = codesOf('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$');

/** Characters of identifiers and keywords, by UTF-16 code. For servers every character beyond ASCII is one. */
export function isWordCode(code: number): boolean {
  return isNameCode[code] === true || code >= FIRST_NON_ASCII;
}

/** Characters after a single `@`: the name of a user variable, or the host of an account. */
export function isHostCode(code: number): boolean {
  return code === DOT || isWordCode(code);
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

export function isSpace(code: number): boolean {
  return code === SPACE || (code >= 0x09 && code <= 0x0d);
}

/** Whether MySQL 9 reads the word as the begin of $$...$$ or $tag$...$tag$. For other servers it is a name. */
export function startsDollarQuote(sql: string, start: number, end: number): boolean {
  return sql.charCodeAt(start) === DOLLAR && sql.slice(start + 1, end).includes('$');
}

/** In UTF-16 units. No keyword and no built-in name is as long. */
export const MAX_SPELLED_LENGTH = 1_000;

/** A quoted identifier in backquotes and capitals. Servers ignore blanks at its end. */
export function nameInOneSpelling(quoted: string): string {
  const quote = quoted.charAt(0);
  const name = quoted
    .slice(1, -1)
    .trimEnd()
    .slice(0, MAX_SPELLED_LENGTH)
    .replaceAll(quote + quote, quote);
  return `\`${name.toUpperCase().replaceAll('`', '``')}\``;
}

function codesOf(characters: string): readonly boolean[] {
  const codes = new Array<boolean>(FIRST_NON_ASCII).fill(false);
  for (const character of characters) codes[character.charCodeAt(0)] = true;
  return codes;
}
