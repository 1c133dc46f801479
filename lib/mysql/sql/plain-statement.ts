import type { SqlLexer, TokenKind } from './lexer/lexer.ts';
import {
  KEYWORDS,
  STATE_FREE_FUNCTIONS,
  STATEFUL_NAMES,
  STATEFUL_WORDS,
  WINDOW_FUNCTIONS,
} from './state-free-functions.ts';
import { WithClause } from './with-clause.ts';

const VERBS = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REPLACE']);
/** What may stand between INSERT or REPLACE and the table. */
const INSERT_MODIFIERS = new Set(['LOW_PRIORITY', 'HIGH_PRIORITY', 'IGNORE', 'INTO']);

interface Token {
  readonly text: string;
  readonly kind: TokenKind;
  readonly end: number;
}

const NOTHING: Token = { text: '', kind: 'symbol', end: 0 };

/**
 * What a statement may leave on its connection, told from its tokens, added in order. It is *plain* if no other
 * plain statement could see what it leaves: one SELECT, INSERT, UPDATE, DELETE or REPLACE that touches no
 * variable and calls nothing but the servers' own state-free functions. Whatever is not understood is not plain.
 */
export class PlainStatementCheck {
  #isSuspect = false;
  #verb: string | undefined;
  #depth = 0;
  /** The one before the verb. */
  #with: WithClause | undefined;
  /** Where the table of an INSERT is: its columns follow in parentheses, like arguments. */
  #target: 'awaited' | 'named' | undefined;
  #callsWindowFunction = false;
  #hasWindow = false;
  #secondLast = NOTHING;
  #last = NOTHING;

  get isPlain(): boolean {
    if (this.#isSuspect || (this.#callsWindowFunction && !this.#hasWindow)) return false;
    return this.#verb !== undefined && VERBS.has(this.#verb);
  }

  /** The word that says what it does, as the grammar has it; undefined if it could not be found. */
  get verb(): string | undefined {
    return this.#verb;
  }

  /** It surely writes nothing. */
  get isRead(): boolean {
    return this.#verb === 'SELECT' && this.isPlain;
  }

  add(text: string, { kind, start, end }: SqlLexer): void {
    this.#isSuspect ||= this.#isStateful(text, kind);
    if (text === '(') this.#isSuspect ||= this.#isCall(start);
    if (text === ')') this.#depth -= 1;
    if (this.#target !== undefined) this.#followTarget(text, kind);
    if (this.#verb === undefined) this.#findVerb(text, kind);
    if (text === '(') this.#depth += 1;
    this.#secondLast = this.#last;
    this.#last = { text, kind, end };
  }

  #isStateful(text: string, kind: TokenKind): boolean {
    if (text === '@') return true;
    if (kind === 'name') return STATEFUL_NAMES.has(text.replaceAll('`', ''));
    if (kind !== 'word') return false;
    // Of a word beyond ASCII too: servers may compare it without accents.
    if (STATEFUL_NAMES.has(text.toUpperCase())) return true;
    if (text === 'INTO') return this.#target !== 'awaited';
    const isAfterSequenceWord = this.#last.text === 'NEXT' || this.#last.text === 'PREVIOUS';
    return STATEFUL_WORDS.has(text) || (text === 'VALUE' && isAfterSequenceWord);
  }

  /** Whether the parenthesis that opens here may be that of a call of something stateful. */
  #isCall(start: number): boolean {
    const { text, kind, end } = this.#last;
    if (kind !== 'word' && kind !== 'name') return false;
    if (this.#target === 'named' || this.#with?.isBehindName(this.#depth)) return false;
    const before = this.#secondLast.text;
    // A type, or the name of a derived table, a window, or a clause such as OVER: no expression can begin there.
    if (before === 'AS' || before === ')') {
      this.#hasWindow ||= text === 'OVER';
      return false;
    }
    if (kind === 'name' || before === '.') return true;
    if (KEYWORDS.has(text)) return false;
    if (start > end) return true;
    this.#callsWindowFunction ||= WINDOW_FUNCTIONS.has(text);
    return !STATE_FREE_FUNCTIONS.has(text) && !WINDOW_FUNCTIONS.has(text);
  }

  /** Only parentheses and the tables of a WITH may stand before it. */
  #findVerb(text: string, kind: TokenKind): void {
    const meaning = this.#with?.add(text, kind, this.#depth);
    if (meaning === 'part' || (this.#with === undefined && text === '(')) return;
    if (meaning === 'unknown' || kind !== 'word') this.#isSuspect = true;
    else if (meaning === undefined && text === 'WITH') this.#with = new WithClause(this.#depth);
    else {
      this.#verb = text;
      this.#with = undefined;
      if (text === 'INSERT' || text === 'REPLACE') this.#target = 'awaited';
    }
  }

  #followTarget(text: string, kind: TokenKind): void {
    if (this.#target === 'named') this.#target = text === '.' ? 'awaited' : undefined;
    else if (kind !== 'word' && kind !== 'name') this.#target = undefined;
    else if (!INSERT_MODIFIERS.has(text)) this.#target = 'named';
  }
}
