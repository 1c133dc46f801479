import type { SqlLexer } from './lexer/lexer.ts';

const FUNCTION = /^`?(?:ROW_COUNT|FOUND_ROWS)`?$/;
const VARIABLE = /^`?(?:WARNING_COUNT|ERROR_COUNT)`?$/;
const SHOWN = new Set(['WARNINGS', 'ERRORS']);
/** The same in the text of a statement that another one prepares. */
const IN_PREPARED_TEXT =
  /\b(?:ROW_COUNT|FOUND_ROWS|WARNING_COUNT|ERROR_COUNT|DIAGNOSTICS|WARNINGS|ERRORS)\b/i;

/** Whether a statement asks what the one before it has left on the session, told from its tokens, added in order. */
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

/** @param text of a statement that is prepared, quotes and all. */
export function mayReadLastStatement(text: string): boolean {
  return IN_PREPARED_TEXT.test(text);
}
