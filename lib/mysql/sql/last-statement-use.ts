import type { SqlLexer } from './lexer/lexer.ts';

const FUNCTION = /^`?(?:ROW_COUNT|FOUND_ROWS)`?$/;
const VARIABLE = /^`?(?:WARNING_COUNT|ERROR_COUNT)`?$/;
const SHOWN = new Set(['WARNINGS', 'ERRORS']);
/** The same words in the text of a prepared statement. */
const IN_PREPARED_TEXT =
  /\b(?:ROW_COUNT|FOUND_ROWS|WARNING_COUNT|ERROR_COUNT|DIAGNOSTICS|WARNINGS|ERRORS)\b/i;

/** Detects from a statement's tokens whether it reads state that the previous statement has left in the session. */
export class LastStatementUse {
  isFound = false;
  #firstWord: string | undefined;
  #secondLast = '';
  #last = '';

  add(text: string, { kind }: SqlLexer): void {
    this.#firstWord ??= text;
    this.isFound ||= this.#isUse(text, kind === 'word');
    this.#secondLast = this.#last;
    this.#last = text;
  }

  #isUse(text: string, isWord: boolean): boolean {
    if (text === '(') return FUNCTION.test(this.#last);
    if (VARIABLE.test(text)) {
      return this.#last === '@' || (this.#last === '.' && /^(?:SESSION|LOCAL)$/.test(this.#secondLast));
    }
    if (!isWord) return false;
    return this.#firstWord === 'SHOW' ? SHOWN.has(text) : this.#firstWord === 'GET';
  }
}

/** @param text of a prepared statement, with quotes. */
export function mayReadLastStatement(text: string): boolean {
  return IN_PREPARED_TEXT.test(text);
}
