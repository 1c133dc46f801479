import type { SqlLexer } from './lexer/lexer.ts';

const LOCK_FUNCTION = /^`?(?:GET_LOCK|RELEASE_LOCK|RELEASE_ALL_LOCKS)`?$/;

/** Which parts of the session that outlive a statement it names, told from its tokens, added in order. */
export class SessionUse {
  /** An @ that begins a user variable, unless an account is written so in such a statement. */
  namesVariable = false;
  callsLockFunction = false;
  #last = '';
  #lastEnd = 0;
  /** The last token was an @ that may be the first of @@. */
  #isAfterAt = false;

  add(text: string, { start, end }: SqlLexer): void {
    const isSecondAt = text === '@' && this.#isAfterAt && start === this.#lastEnd;
    if (this.#isAfterAt && !isSecondAt) this.namesVariable = true;
    this.#isAfterAt = text === '@' && !isSecondAt;
    if (text === '(' && LOCK_FUNCTION.test(this.#last)) this.callsLockFunction = true;
    this.#last = text;
    this.#lastEnd = end;
  }
}
