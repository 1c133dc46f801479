import type { SqlLexer } from './lexer/lexer.ts';

const LOCK_FUNCTION = /^`?(?:GET_LOCK|RELEASE_LOCK|RELEASE_ALL_LOCKS)`?$/;

/** Detects from a statement's tokens whether it uses session state that outlives a statement. */
export class SessionStateUse {
  /** It has an @ that begins a user variable, or an account. */
  namesVariable = false;
  callsLockFunction = false;
  #last = '';
  #lastEnd = 0;
  /** The last token was an @, which may be the first of @@. */
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
